"""Where a text is cut into sentences: at . ? ! that end one, at empty lines and before list items."""

from __future__ import annotations

import re
from collections.abc import Iterator

from trainer.text.abbreviations import (
    BEFORE_NUMBER,
    ENDING,
    MONTH_NAMES,
    MONTHS,
    PHRASES,
    STARTERS,
    STREETS,
    TITLES,
    WEEKDAYS,
)
from trainer.text.names import counts_roman
from trainer.text.units import UNITS

_BOUNDARY = re.compile(
    r"\n[ \t]*\n\s*"  # an empty line
    r"|\n(?=[ \t]*(?:[-*—] |\d{1,3}[.)] ))"  # before a list item
    r"|(?<![.?!…])([.?!…]++)(?:[\"')\]}*_]*+)(?=\s)"
)
_WINDOW = 80
_LAST_TOKEN = re.compile(r"[^\s(\"\[]+$")
_NEXT_TOKEN = re.compile(r"\s*[\"'(\[*_]*([A-Za-z']+|\d|\S|$)")
_INITIALS = re.compile(r"[A-Z]|(?:[A-Za-z]\.)+[A-Za-z]")
_ZONES = frozenset({"EST", "EDT", "CST", "CDT", "MST", "MDT", "PST", "PDT", "GMT", "UTC", "ET", "PT", "CET"})
_NEVER = (
    {title.lower() for title in TITLES}
    | {phrase[:-1] for phrase in PHRASES if phrase.endswith(".")}
    | {street.lower() for street in STREETS}
    | set(MONTHS)
    | {day.lower() for day in WEEKDAYS} - {"sun", "sat"}
    | {"pt", "rte"}
) - ENDING
_UNITS = frozenset(sign.lower().rstrip(".") for sign in UNITS)
_BEFORE_AMOUNT = frozenset({"rs"})
_NEXT_PART = re.compile(r"\s*\d{1,4}\s?(?:mins?|secs?|hrs?|in|oz|lbs?|ft)\b")
_PLACES = {street.lower() for street in STREETS} | {"dept", "est", "min", "max", "v", "ex"}


def split(text: str) -> Iterator[str]:
    """Sentences of a cleaned text, in order, without white space around them; none is empty."""
    start = 0
    for match in _BOUNDARY.finditer(text):
        if match[1] is None or _ends(text, start, match):
            if piece := text[start : match.end()].strip():
                yield piece
            start = match.end()
    if piece := text[start:].strip():
        yield piece


def _ends(text: str, start: int, match: re.Match[str]) -> bool:
    """Whether the marks that `match` found end the sentence that began at `start`."""
    following = _NEXT_TOKEN.match(text, match.end())
    after = following[1] if following else ""
    quoted = not match[0].endswith(match[1])
    if match[1] == "!" and after[:1] in "=+*/÷×-" and after and text[match.start() - 1 : match.start()].isdigit():
        return False  # a factorial
    if match[1] != ".":
        return not after[:1].islower() or (match[1] not in ("...", "…") and not quoted)
    found = _LAST_TOKEN.search(text, max(start, match.start() - _WINDOW), match.start())
    before = found[0] if found else ""
    lower = before.lower()
    if lower.isdigit() and not text[start : match.start()].strip(" -*\n").removeprefix(before):
        return False  # the number of a list item
    if counts_roman(before, after):
        return False
    if after.isdigit() and (lower in _BEFORE_AMOUNT or (lower in _UNITS and _NEXT_PART.match(text, match.end()))):
        return False
    if after.isdigit():
        return not _INITIALS.fullmatch(before) and lower not in _NEVER and lower not in BEFORE_NUMBER
    if lower in _NEVER:
        return lower in _PLACES and after in STARTERS
    if _INITIALS.fullmatch(before) and before != "I" and lower not in ENDING:
        return after in STARTERS
    if before in ("Sun", "Sat") and after[:1].islower():
        return False
    if lower in ENDING and after in STREETS:
        return False  # a street called after somebody
    if after[:1].islower():
        return lower not in _UNITS and len(lower) > 1 and lower.isalpha() and lower not in ENDING and not quoted
    if lower in ENDING:
        return (
            after.lower() not in {*MONTH_NAMES, *MONTHS}
            and after not in WEEKDAYS
            and not after.endswith("day")
            and after not in _ZONES
        )
    return True
