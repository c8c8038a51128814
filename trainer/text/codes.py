"""Digits that are no amount: chains with hyphens, cards, postcodes, addresses of the net, decimals that letters follow."""

from __future__ import annotations

import re

from trainer.text import names, numerals

CHAIN = re.compile(
    r"(?P<digits>\d{1,20}(?:-\d{1,20}){1,8})(?:-(?P<letters>[A-Z]{1,3}))?(?![A-Za-z\d]|-[A-Za-z\d]|\.\d)"
)
LETTERED_CHAIN = re.compile(r"(?P<letters>[A-Z]{1,6})-(?P<digits>\d{1,20}(?:-\d{1,20}){1,8})(?![A-Za-z\d]|-\d)")
CARD = re.compile(r"\d{4}(?:[ -]\d{4}){2,4}(?: \d{1,3})?(?![\d-])|3\d{3}[ -]\d{6}[ -]\d{5}(?![\d-])")
POSTCODE = re.compile(r"(?P<zip>\d{5})(?:-(?P<four>\d{4}))?(?![\d-]|[.,]\d)")
ADDRESS = re.compile(
    r"(?=[0-9A-Fa-f:]{3,39}(?![\w:]))(?:[0-9A-Fa-f]{1,4}:){1,7}(?::|[0-9A-Fa-f]{1,4})(?:[0-9A-Fa-f:]{0,30}[0-9A-Fa-f])?"
)
DECIMAL_CODE = re.compile(r"(?P<low>\d+\.\d+)(?P<code>(?!x(?![A-Za-z\d]))[A-Za-z][A-Za-z\d]{0,20})(?![A-Za-z\d])")
NAMED_DECIMAL = re.compile(
    r"(?P<name>[A-Za-z]{1,12})(?P<low>\d{1,9}\.\d{1,9})(?P<code>[A-Za-z][A-Za-z\d]{0,20})?(?![A-Za-z\d]|\.\d)"
)
VERSION = re.compile(r"[vV](?P<numbers>\d+(?:\.\d+)+)(?P<code>[A-Za-z][A-Za-z\d]{0,9})?(?![A-Za-z\d])")

_STATES = frozenset(
    "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA PR RI SC SD TN TX UT"
    " VT VA WA WV WI WY".split()
)
_BEFORE_POSTCODE = re.compile(
    r"\b(?:zip|postal code|post ?code|plz)(?: ?codes?)?(?: (?:is|was|of|are|for))?[: ]*$", re.IGNORECASE
)
_YEAR = re.compile(r"1[5-9]\d\d|20\d\d")
_PLACE = {"802.11": "eight oh two point eleven"}
_LONGEST_RANGE, _LONGEST_RISING = 3, 5
"""Numbers of so many digits joined by a hyphen may be a score or a range in any order, or a range if they rise."""
_ROUND = re.compile(r"[1-9]\d?0+")
_ERA = re.compile(r"\s?(?:B\.?C|A\.?D|C\.?E)\b")
STATE = re.compile(rf"(?P<letters>{'|'.join(sorted(_STATES))})(?=,|\s\d{{5}})")


def chain(match: re.Match[str], _before: str) -> str | None:
    """`123-45-6789` -> digits in groups, `12-4-1` -> "twelve , four and one"; None where two numbers are a range."""
    parts = match["digits"].split("-")
    letters = f" , {names.spelt(match['letters'])}" if match["letters"] else ""
    if len(parts) == 2 and not letters and _is_range(*parts, match.string[match.end() : match.end() + 6]):
        return None
    if len(parts) > 2 and not letters and all(part == "0" or (len(part) <= 2 and part[0] != "0") for part in parts):
        *first, last = map(numerals.cardinal, parts)
        return f"{' , '.join(first)} and {last}"
    return " , ".join(map(numerals.spelt, parts)) + letters


def _is_range(low: str, high: str, after: str) -> bool:
    """Whether two numbers are from one to the other: `5-1500`, `1000-500 BC`, but not `12345-678` or `20-1234567`."""
    if max(len(low), len(high)) <= _LONGEST_RANGE:
        return True
    zeros = (low[0] == "0" and len(low) > 1) or (high[0] == "0" and len(high) > 1)
    rising = int(high) > int(low) and (len(high) <= _LONGEST_RISING or len(high) - len(low) < 2)
    return not zeros and (rising or bool(_ROUND.fullmatch(low) and _ROUND.fullmatch(high)) or bool(_ERA.match(after)))


def lettered_chain(match: re.Match[str], _before: str) -> str:
    """`CVE-2024-3094` -> "C V E , twenty twenty four , three zero nine four"."""
    parts = [
        numerals.year(part) if _YEAR.fullmatch(part) else numerals.spelt(part) for part in match["digits"].split("-")
    ]
    return " , ".join([names.spelt(match["letters"]), *parts])


def card(match: re.Match[str], _before: str) -> str | None:
    """`4111 1111 1111 1111` -> its digits in groups; None where all of them may be years."""
    groups = re.findall(r"\d+", match[0])
    return None if all(map(_YEAR.fullmatch, groups)) else " , ".join(map(numerals.spelt, groups))


def postcode(match: re.Match[str], _before: str) -> str | None:
    """`HI 96815`, `zip code 90210` -> digits; None without such a word or a state before it."""
    before = match.string[max(0, match.start() - 30) : match.start()]
    state = before[-1:] == " " and before[-4:-3] in ("", " ", ",") and before[-3:-1] in _STATES
    if not state and not match["four"] and not _BEFORE_POSTCODE.search(before):
        return None
    return " , ".join(numerals.spelt(part) for part in (match["zip"], match["four"]) if part)


def address(match: re.Match[str], _before: str) -> str | None:
    """`2001:db8::1` -> its signs one by one; None where it may be a time or a ratio."""
    text = match[0]
    if "::" not in text and text.count(":") < 7:
        return None
    parts = re.findall(r"[0-9A-Fa-f]+|:", text)
    return " ".join(
        "colon" if part == ":" else " ".join(numerals.spelt(sign) if sign.isdigit() else sign.upper() for sign in part)
        for part in parts
    )


def decimal_code(match: re.Match[str], _before: str) -> str:
    """`802.11ax` -> "eight oh two point eleven A X", `7.1b` -> "seven point one B"."""
    return f"{_PLACE.get(match['low']) or numerals.number(match['low'])} {names.code_words(match['code'])}"


def named_decimal(match: re.Match[str], before: str) -> str:
    """`USB3.0a` -> "U S B three point zero A"."""
    name = names.code(re.match(r"[A-Za-z]+", match["name"]), before)
    return f"{name} {numerals.number(match['low'])}" + (f" {names.code_words(match['code'])}" if match["code"] else "")


def version(match: re.Match[str], _before: str) -> str:
    """`v1.2b` -> "version one point two B"."""
    numbers = " point ".join(map(numerals.code, match["numbers"].split(".")))
    return f"version {numbers}" + (f" {names.code_words(match['code'])}" if match["code"] else "")


def state(match: re.Match[str], _before: str) -> str | None:
    """`Portland, OR,` -> "O R"; None where no place stands before it."""
    return names.spelt(match["letters"]) if re.search(r"[a-z], $", match.string[: match.start()]) else None
