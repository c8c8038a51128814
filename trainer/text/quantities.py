"""Numbers with what belongs to them: money, units, percentages, ranges, fractions, telephone numbers, codes."""

from __future__ import annotations

import re

from trainer.text import numerals, units
from trainer.text.numerals import NUMBER

_CURRENCY = r"(?:US|CA|AU|HK|NZ|[ACS])\$|Rs\.?|CHF|[$£€¥₹]"
_SCALE = (
    r"(?:[ -]?(?P<scale>lakh crore|lakh|crore|thousand|million|billion|trillion|bn|tn|mn|mm|MM|[kKmMbBT])(?![A-Za-z]))?"
)
_SIGNS = {
    "-": "minus",
    "+": "plus",
    "±": "plus or minus",
    "+/-": "plus or minus",
    "~": "about",
    "≈": "about",
    "<": "less than",
    ">": "more than",
    "≤": "at most",
    "≥": "at least",
    "<=": "at most",
    ">=": "at least",
    "√": "the square root of",
}
_SIGN = r"(?P<sign>\+/-|<=|>=|[-+±~≈<>≤≥√])?\s?"
_TO = r"\s?(?:[-–—]|to)\s?"

MONEY = re.compile(
    rf"(?P<sign>[-+~<>])?(?P<currency>{_CURRENCY})\s?(?P<low>{NUMBER})(?:{_TO}(?:{_CURRENCY})?(?P<high>{NUMBER}))?{_SCALE}{units.PER}(?![\d])"
)
NAMED_MONEY = re.compile(rf"(?=[A-Z][A-Za-z]*[$. \d]){MONEY.pattern}")
QUANTITY = re.compile(rf"{_SIGN}(?P<low>{NUMBER})(?:{_TO}(?P<high>{NUMBER}))?(?P<gap>[ -]?){units.UNIT}")
SCALED = re.compile(rf"{_SIGN}(?P<low>{NUMBER})(?P<scale>k|K|M|bn|tn)(?![A-Za-z\d])")
FEET = re.compile(r"(?P<feet>\d{1,2})(?:'|′)\s?(?P<inches>1[01]|\d)(?:\"|″|'')?(?!\d)")
COORDINATE = re.compile(
    r"(?P<degrees>\d{1,3})°\s?(?P<minutes>\d{1,2})['′](?:\s?(?P<seconds>\d{1,2}(?:\.\d+)?)(?:[\"″]|''))?"
)
_SCIENTIFIC_TEN = r"\s?[x×*]\s?10\^(?P<exponent>[-+]?\d{1,3})"
SCIENTIFIC = re.compile(
    rf"{_SIGN}(?P<low>{NUMBER})(?:{_SCIENTIFIC_TEN}|[eE](?P<short>[-+]?\d{{1,3}}))(?:(?P<gap>\s?){units.UNIT}|(?![A-Za-z\d]))"
)
BY = re.compile(
    rf"(?P<first>{NUMBER})(?P<sign>\s?(?:x|×)\s?)(?P<second>{NUMBER})(?:\s?(?:x|×)\s?(?P<third>{NUMBER}))?"
    rf"(?:(?P<gap>\s?){units.UNIT}|(?![A-Za-z\d]))"
)
TIMES = re.compile(rf"(?P<low>{NUMBER})\s?(?:x|×)(?![A-Za-z\d])")
ORDINAL = re.compile(r"(?P<digits>\d{1,3}(?:,\d{3})+|\d+)(?:st|nd|rd|th|ST|ND|RD|TH)(?![A-Za-z\d])")
FIXED = re.compile(r"24/7/365(?!\d)|0\d/\d\d(?![\d/])")
FRACTION = re.compile(
    rf"(?:(?P<whole>\d{{1,6}})[ -])?(?P<top>\d{{1,4}})/(?P<bottom>\d{{1,4}})(?![\d/]|[.,]\d)(?:(?P<gap>[ -]?){units.UNIT})?"
)
FACTORIAL = re.compile(r"(?P<low>\d{1,3})!(?=\s*[=+*/÷×)-])")
RATIO = re.compile(r"(?P<first>\d{1,5}):(?P<second>\d{1,5})(?![\d:])")
RANGE = re.compile(rf"(?P<low>{NUMBER})(?:[-–]|\s[–—]\s)(?P<high>{NUMBER})(?![A-Za-z\d]|[-–]\d|\.\d)")
GROUPS = re.compile(r"\d+(?:\.\d+){2,}(?![A-Za-z\d])")
FULL_STOP_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:\.\d{3}){2,}(?![\d.]\d)")
TELEPHONE = re.compile(
    r"(?:(?:\+\d{1,3}[ .-]?(?:\(0\))?)?(?:\(\d{2,5}\)[ .-]?|\d{1,3}-)?\d{3}[-. ]\d{3}[-. ]\d{4}"
    r"|\+\d{1,3}(?:[ .-]?\(?\d{1,6}\)?){2,6}|\(\d{2,5}\) ?\d{3,4}[- ]\d{3,4}|\d{3}-\d{4}(?!-)|0\d{2,4}(?:[ -]\d{3,6}){1,3})(?!\d)"
    r"(?P<extension>,?\s?(?:x|ext\.?)\s?(?P<inner>\d{1,6})(?!\d))?"
)
NUMBERED = re.compile(rf"#\s?(?P<low>{NUMBER})(?![A-Za-z\d])")
PLAIN = re.compile(rf"{_SIGN}(?P<low>{NUMBER})(?![A-Za-z\d])")
CODE = re.compile(r"(?=[A-Za-z]*\d)[A-Za-z\d]+")

_FIXED_PAIRS = {"24/7": "twenty four seven", "9/11": "nine eleven", "50/50": "fifty fifty"}
_PARTS = {"2": "half", "4": "quarter"}
_FRACTIONS_OF = frozenset({*map(str, range(2, 10)), "12", "16", "20", "32", "64"})
_NAMED_BY_NUMBER = frozenset(
    "boeing airbus flight room route highway bus interstate suite apartment channel area gate".split()
)
_KNOWN_NUMBERS = {"911": "nine one one"}
_AFTER_ALGEBRA = re.compile(r"\s?(?:[-+=^*/<>]|[-+=]\s)\s?[\dA-Za-z(]|\s?[)=]")
_BEFORE_ALGEBRA = re.compile(r"[-+=*/(^]\s?$")
_LENGTHS = frozenset({"km", "m", "cm", "mm", "um", "nm", "mi", "yd", "yds", "ft", "in.", "in", "px", '"'})


def money(match: re.Match[str], before: str) -> str:
    """`$3.50` -> "three dollars and fifty cents", `£5m` -> "five million pounds", `a $5 bill` -> "five dollar"."""
    unit, cent = units.CURRENCIES[match["currency"]]
    sign = f"{_SIGNS[match['sign']]} " if match["sign"] else ""
    low = match["low"]
    decimals = low.partition(".")[2]
    per = f" per {units.UNITS[match['per']]}" if match["per"] else ""
    if match["high"] or match["scale"] or len(decimals) not in (0, 1, 2) or (decimals and _describes(match, before)):
        scale = f" {units.SCALES[match['scale']]}" if match["scale"] else ""
        to = f" to {numerals.number(match['high'])}" if match["high"] else ""
        noun = unit if _describes(match, before) else units.plural(unit)
        return f"{sign}{numerals.number(low)}{to}{scale} {noun}{per}"
    return sign + _coins(low, (unit, cent), one=_describes(match, before)) + per


def _coins(amount: str, names: tuple[str, str], *, one: bool) -> str:
    """`"3.50"` -> "three dollars and fifty cents"; with `one` the unit stays in the singular."""
    whole, _, decimals = amount.partition(".")
    cents = str(int(decimals.ljust(2, "0"))) if decimals else "0"
    parts = []
    if whole.strip("0,") or cents == "0":
        parts.append(
            f"{numerals.number(whole)} {names[0] if numerals.is_one(whole) or one else units.plural(names[0])}"
        )
    if cents != "0":
        parts.append(f"{numerals.cardinal(cents)} {names[1] if cents == '1' else units.plural(names[1])}")
    return " and ".join(parts)


def quantity(match: re.Match[str], before: str) -> str | None:
    """`5 km` -> "five kilometers", `1 km` -> "one kilometer", `a 5-km run` -> "five kilometer"; None where the sign is no unit here."""
    unit, low = match["unit"], match["low"]
    if (unit in units.AFTER_BLANK and not match["gap"]) or (unit in units.ATTACHED and match["gap"]):
        return None
    if not _sign_stands_free(match) or (
        unit == '"' and (match["gap"] or match.string.count('"', 0, match.start()) % 2)
    ):
        return None
    if unit in units.CURRENCIES:
        if match["gap"] == "-":
            return None
        if not match["high"] and not match["per"] and len(low.partition(".")[2]) == 2:
            sign = f"{_SIGNS[match['sign']]} " if match["sign"] else ""
            return sign + _coins(low, units.CURRENCIES[unit], one=False)
    singular = (
        (numerals.is_one(low) and not match["high"])
        or match["gap"] == "-"
        or _describes(match, "a" if unit == '"' else before)
    )
    if match["gap"] == "-" and not _describes(match, "a"):
        return None
    return f"{_amount(match)} {units.named(match, singular=singular)}"


def scaled(match: re.Match[str], _before: str) -> str | None:
    """`100k` -> "one hundred thousand"; `4K` stays a name."""
    if match["scale"] == "K" and len(match["low"]) < 2:
        return None
    return f"{_amount(match)} {units.SCALES[match['scale']]}" if _sign_stands_free(match) else None


def feet(match: re.Match[str], _before: str) -> str:
    """`5'10"` -> "five foot ten"."""
    return f"{numerals.cardinal(match['feet'])} foot {numerals.cardinal(match['inches'])}"


def coordinate(match: re.Match[str], _before: str) -> str:
    """`40°26'` -> "forty degrees twenty six minutes"."""
    seconds = f" {numerals.number(match['seconds'])} seconds" if match["seconds"] else ""
    return f"{numerals.cardinal(match['degrees'])} degrees {numerals.cardinal(match['minutes'])} minutes{seconds}"


def by(match: re.Match[str], _before: str) -> str | None:
    """`4x6` -> "four by six", `5x10 mm` -> "five by ten millimeters", `6 × 7` and `2 x 500 mg` with "times"."""
    parts = [match[name] for name in ("first", "second", "third") if match[name]]
    unit = match["unit"]
    if unit in units.ATTACHED and match["gap"]:
        return None
    product = (unit not in _LENGTHS) if unit else match["sign"] == " × "
    said = (" times " if product else " by ").join(
        numerals.year(part) if len(part) == 4 else numerals.number(part) for part in parts
    )
    return f"{said} {units.named(match, singular=numerals.is_one(parts[-1]))}" if unit else said


def scientific(match: re.Match[str], _before: str) -> str | None:
    """`5.0e-3 kg` -> "five point zero times ten to the minus three kilograms"; None for a code such as `3E5`."""
    exponent = match["exponent"] or match["short"]
    if not _sign_stands_free(match) or (
        match["short"] and match["low"].isdigit() and "E" in match[0] and exponent.isdigit()
    ):
        return None
    minus = "minus " if exponent[0] == "-" else ""
    power = f"{minus}{numerals.cardinal(exponent.lstrip('+-').lstrip('0') or '0')}"
    return f"{_amount(match)} times ten to the {power}" + (
        f" {units.named(match, singular=False)}" if match["unit"] else ""
    )


def fixed(match: re.Match[str], _before: str) -> str:
    """`24/7/365` and `09/27`, a month and a year: digits in pairs, no fraction."""
    if match[0] == "24/7/365":
        return "twenty four seven three sixty five"
    return " , ".join(
        numerals.spelt(part) if part[0] == "0" else numerals.cardinal(part) for part in match[0].split("/")
    )


def factorial(match: re.Match[str], _before: str) -> str:
    """`5! = 120` -> "five factorial"."""
    return f"{numerals.cardinal(match['low'])} factorial"


def times(match: re.Match[str], _before: str) -> str:
    """`3x` -> "three times", but "three X" in `3x + 2y`."""
    text, number = match.string, numerals.number(match["low"])
    algebra = _AFTER_ALGEBRA.match(text, match.end()) or _BEFORE_ALGEBRA.search(text[: match.start()])
    return f"{number} X" if algebra and match[0].endswith("x") else f"{number} times"


def ordinal(match: re.Match[str], _before: str) -> str:
    """`21st` -> "twenty first"."""
    return numerals.ordinal(match["digits"].replace(",", ""))


def fraction(match: re.Match[str], before: str) -> str | None:
    """`3/4` -> "three quarters", `2 1/2` -> "two and a half", `9/10` -> "nine out of ten"; with its unit: `3/4 tsp`, `120/80 mmHg`."""
    unit = match["unit"]
    if not unit:
        return _FIXED_PAIRS.get(match[0]) or _part(match)
    if unit in units.ATTACHED and match["gap"] and not re.match(r"[,;.)]|$", match.string[match.end() :]):
        return None
    if unit == '"' and match.string.count('"', 0, match.start()) % 2:
        return None
    name = units.named(match, singular=True)
    if match["gap"] == "-" or _describes(match, before):
        return f"{_part(match)} {name}"
    if match["whole"] or match["bottom"] not in _FRACTIONS_OF or int(match["top"]) >= int(match["bottom"]):
        return f"{_part(match)} {units.named(match, singular=False)}"
    article = "an" if name[0] in "aeio" or name.startswith("hour") else "a"
    return (
        f"half {article} {name}"
        if (match["top"], match["bottom"]) == ("1", "2")
        else f"{_part(match)} of {article} {name}"
    )


def _part(match: re.Match[str]) -> str:
    """The fraction alone."""
    top, bottom = match["top"], match["bottom"]
    whole = numerals.cardinal(match["whole"]) if match["whole"] else ""
    if bottom not in _FRACTIONS_OF or top == "0" or (whole and int(top) >= int(bottom)):
        joint = "out of" if bottom in ("10", "100") and int(top) <= int(bottom) else "over"
        part = f"{numerals.cardinal(top)} {joint} {numerals.cardinal(bottom)}"
        return f"{whole} {part}".strip()
    noun = _PARTS.get(bottom) or numerals.ordinal(bottom)
    if top != "1":
        noun = "halves" if noun == "half" else f"{noun}s"
    if not whole:
        return f"{numerals.cardinal(top)} {noun}"
    first = "a" if top == "1" and noun in ("half", "quarter") else numerals.cardinal(top)
    return f"{whole} and {first} {noun}"


def ratio(match: re.Match[str], _before: str) -> str:
    """`16:9` -> "sixteen to nine"."""
    return f"{numerals.cardinal(match['first'])} to {numerals.cardinal(match['second'])}"


def spread(match: re.Match[str], _before: str) -> str:
    """`5-10` -> "five to ten"."""
    if match[0] == "50-50":
        return _FIXED_PAIRS["50/50"]
    return f"{numerals.number(match['low'])} to {numerals.number(match['high'])}"


def groups(match: re.Match[str], _before: str) -> str:
    """`1.2.3` -> "one point two point three", an address of four numbers with "dot"."""
    parts = match[0].split(".")
    return (" dot " if len(parts) == 4 else " point ").join(numerals.code(part) for part in parts)


def full_stop_thousands(match: re.Match[str], _before: str) -> str:
    """`1.234.567` -> "one million ..."."""
    return numerals.cardinal(match[0].replace(".", ""))


def telephone(match: re.Match[str], _before: str) -> str:
    """`555-0199` -> "five five five , zero one nine nine"."""
    plus = "plus " if match[0][0] == "+" else ""
    digits = match[0].removesuffix(match["extension"] or "")
    extension = f" , extension {numerals.code(match['inner'])}" if match["inner"] else ""
    return plus + " , ".join(numerals.spelt(part) for part in re.findall(r"\d+", digits)) + extension


def numbered(match: re.Match[str], _before: str) -> str:
    """`#5` -> "number five"."""
    return f"number {numerals.number(match['low'])}"


def plain(match: re.Match[str], before: str) -> str | None:
    """`-1,234.5` -> "minus one thousand two hundred thirty four point five"."""
    if not _sign_stands_free(match):
        return None
    if (before in _NAMED_BY_NUMBER and re.fullmatch(r"\d{3,4}", match[0])) or (
        before == "section" and re.fullmatch(r"\d{4}", match[0])
    ):
        return numerals.code(match[0])
    return _KNOWN_NUMBERS.get(match[0]) or _amount(match)


def code_parts(text: str) -> list[str]:
    """`BBC2` -> ["BBC", "2"]: runs of letters and of digits."""
    return re.findall(r"[A-Za-z]+|\d+", text)


def _amount(match: re.Match[str]) -> str:
    """Words of the groups sign, low and high."""
    found = match.groupdict()
    sign = f"{_SIGNS[found['sign']]} " if found.get("sign") else ""
    to = f" to {numerals.number(found['high'])}" if found.get("high") else ""
    return f"{sign}{numerals.number(found['low'])}{to}"


def _describes(match: re.Match[str], before: str) -> bool:
    """Whether the amount describes the noun after it, as in "a $5 bill" or "a 3 km run": then its unit is in the singular."""
    return (
        before in ("a", "an", "per", "every")
        and re.match(r"[ -][a-z]{3}", match.string[match.end() : match.end() + 5]) is not None
    )


def _sign_stands_free(match: re.Match[str]) -> bool:
    """A minus belongs to the number only after a blank, a bracket or another sign; else it joins two words."""
    start = match.start()
    if match["sign"] != "-" or start == 0:
        return True
    return match.string[start - 1] in " \n([{=<>*/+^:,\"'$" and not match.string[start + 1].isspace()
