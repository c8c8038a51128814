"""Dates, times and years as they are spoken."""

from __future__ import annotations

import re

from trainer.text import numerals
from trainer.text.abbreviations import MONTH_NAMES, MONTHS

_MONTH = "|".join([*(name.capitalize() for name in MONTH_NAMES), *(rf"{short.capitalize()}\b\.?" for short in MONTHS)])
_YEAR = r"(?P<year>[12]\d{3})(?![\d:%]|[.,]\d)"
_ERA = r"A\.D\.|B\.C\.E\.|B\.C\.|AD\b|BCE\b|BC\b|CE\b"
_HALF_OF_DAY = r"(?:\s?(?P<half>[AaPp])(?:\.\s?[Mm]\.|[Mm]\b))"

MONTH_FIRST = re.compile(
    rf"(?P<month>{_MONTH})\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?![\d:%]|[.,]\d)(?:\s?[-–]\s?(?P<until>\d{{1,2}})(?:st|nd|rd|th)?(?!\d))?"
    rf"(?:(?P<comma>,)?\s+{_YEAR})?"
)
MONTH_AND_YEAR = re.compile(rf"(?P<month>{_MONTH}),?\s+{_YEAR}")
MONTH_ALONE = re.compile(rf"(?P<month>{'|'.join(short.capitalize() for short in MONTHS)})\.")
DAY_FIRST = re.compile(
    rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:\s?[-–]\s?(?P<until>\d{{1,2}})(?:st|nd|rd|th)?)?(?:\s+of)?\s+(?P<month>{_MONTH})(?![a-z])"
    rf"(?:(?P<comma>,)?\s+{_YEAR})?"
)
ISO = re.compile(r"(?P<year>[12]\d{3})-(?P<month>0[1-9]|1[0-2])-(?P<day>[0-2]\d|3[01])(?![\d-])")
NUMERIC = re.compile(
    r"(?P<first>\d{1,2})(?P<sign>[/.-])(?P<second>\d{1,2})(?P=sign)(?P<year>\d{4}|\d{2})(?![\d/-]|\.\d)"
)
CLOCK = re.compile(
    rf"(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?(?:h(?![A-Za-z]))?(?![\d:]){_HALF_OF_DAY}?"
)
HOUR = re.compile(rf"(?P<hour>1[0-2]|0?[1-9])(?:(?P<dot>\.)(?P<minute>[0-5]\d))?{_HALF_OF_DAY}")
DECADE = re.compile(r"(?P<century>1[1-9]|20)?(?P<decade>\d)0['’]?s(?![A-Za-z])")
SHORT_DECADE = re.compile(r"'(?P<decade>[1-9])0s\b")
SHORT_YEAR = re.compile(r"'(?P<year>\d\d)(?![\d'\"]|\s?(?:in|ft))")
YEAR_WITH_ERA = re.compile(rf"(?P<year>\d{{1,4}})(?:\s?[-–]\s?(?P<until>\d{{1,4}}))?\s?(?P<era>{_ERA})")
ERA_WITH_YEAR = re.compile(r"(?P<era>AD|A\.D\.) ?(?P<year>\d{1,4})(?!\d)")
YEARS = re.compile(r"(?P<year>1[1-9]\d\d|20\d\d)\s?[-–/]\s?(?P<until>1[1-9]\d\d|20\d\d|\d\d)(?![\d/-]|[.,]\d)")
YEAR = re.compile(r"(?P<year>1\d\d\d|20\d\d)(?![\d%]|[.,]\d|[-–]\d)")

_AFTER_A_YEAR = re.compile(r"[ -](?:[a-z]+s|people|men|women|children|miles?|feet|percent)\b")
_NO_PLURAL = re.compile(
    r"[ -](?:was|is|has|his|this|as|us|its|does|thus|towards|perhaps|always|sometimes|besides|across|unless|afterwards|[a-z]+ss)\b"
)
_PLACES_OF_YEARS = frozenset(
    "in of since by from until till before after during circa year early late mid about around between and to spring summer autumn fall"
    " winter".split()
) | frozenset(MONTH_NAMES)


def month_first(match: re.Match[str], _before: str) -> str:
    """`March 12, 1999` -> "march twelfth , nineteen ninety nine"."""
    days = numerals.ordinal(match["day"].lstrip("0") or "0")
    if match["until"]:
        days += f" to {numerals.ordinal(match['until'])}"
    return f"{_month(match['month'])} {days}{_year_of(match)}"


def day_first(match: re.Match[str], before: str) -> str:
    """`12 March 1999` -> "the twelfth of march nineteen ninety nine"."""
    days = numerals.ordinal(match["day"].lstrip("0") or "0")
    if match["until"]:
        days += f" to {'' if before == 'the' else 'the '}{numerals.ordinal(match['until'])}"
    return f"{'' if before == 'the' else 'the '}{days} of {_month(match['month'])}{_year_of(match)}"


def month_and_year(match: re.Match[str], _before: str) -> str:
    """`Mar. 1999` -> "march nineteen ninety nine"."""
    return f"{_month(match['month'])} {numerals.year(match['year'])}"


def month_alone(match: re.Match[str], _before: str) -> str:
    """`Sept.` -> "september"."""
    return _month(match["month"])


def iso(match: re.Match[str], _before: str) -> str:
    """`2024-02-29` -> "february twenty ninth , twenty twenty four"."""
    return _date(int(match["month"]), match["day"], match["year"])


def numeric(match: re.Match[str], _before: str) -> str | None:
    """`2/29/2024` or `2-29-2024` (American), `29/2/2024` and `29.2.2024`; None if no month fits."""
    first, second = int(match["first"]), int(match["second"])
    month_leads = match["sign"] != "." and first <= 12
    month, day = (first, match["second"]) if month_leads else (second, match["first"])
    if not (1 <= month <= 12 and 1 <= int(day) <= 31):
        return None
    if len(match["year"]) == 2 and match["sign"] != "/":
        return None
    return _date(month, day, match["year"])


def clock(match: re.Match[str], _before: str) -> str:
    """`3:05 pm` -> "three oh five P M", `17:00` -> "seventeen hundred", `3:00` -> "three o'clock"."""
    hour, minute = match["hour"].lstrip("0") or "0", match["minute"]
    half = f" {match['half'].upper()} M" if match["half"] else ""
    if match["second"]:
        tail = f" and {_counted(match['second'], 'second')}{half}"
    elif minute == "00" and not half:
        full = "o'clock" if 1 <= int(hour) <= 12 else "hundred"
        return f"{numerals.cardinal(hour)} {full}"
    else:
        tail = half
    return f"{numerals.cardinal(hour)}{numerals.minutes(minute)}{tail}"


def hour(match: re.Match[str], _before: str) -> str:
    """`5 p.m.` -> "five P M"."""
    minutes = numerals.minutes(match["minute"]) if match["minute"] else ""
    return f"{numerals.cardinal(match['hour'].lstrip('0'))}{minutes} {match['half'].upper()} M"


def decade(match: re.Match[str], _before: str) -> str | None:
    """`1990s` -> "nineteen nineties", `80s` -> "eighties"."""
    if match["century"]:
        return numerals.plural(numerals.year(f"{match['century']}{match['decade']}0"))
    return numerals.plural(numerals.cardinal(f"{match['decade']}0")) if match["decade"] != "0" else None


def short_decade(match: re.Match[str], _before: str) -> str:
    """`'90s` -> "nineties"."""
    return numerals.plural(numerals.cardinal(f"{match['decade']}0"))


def short_year(match: re.Match[str], _before: str) -> str:
    """`'68` -> "sixty eight"."""
    return f"oh {numerals.cardinal(match['year'][1])}" if match["year"][0] == "0" else numerals.cardinal(match["year"])


def year_with_era(match: re.Match[str], _before: str) -> str:
    """`44 BC` -> "forty four B C"."""
    until = f" to {numerals.year(match['until'])}" if match["until"] else ""
    return f"{numerals.year(match['year'])}{until} {' '.join(match['era'].replace('.', ''))}"


def era_with_year(match: re.Match[str], _before: str) -> str:
    """`AD 79` -> "A D seventy nine"."""
    return f"A D {numerals.year(match['year'])}"


def years(match: re.Match[str], _before: str) -> str:
    """`1990-1995` -> "nineteen ninety to nineteen ninety five"."""
    until = match["until"]
    last = f"oh {numerals.cardinal(until[1])}" if len(until) == 2 and until[0] == "0" else numerals.year(until)
    return f"{numerals.year(match['year'])} to {last}"


def year(match: re.Match[str], before: str) -> str | None:
    """A number that is most likely a year: four digits without a separator, and no plural after it that it would count."""
    rest = match.string[match.end() : match.end() + 24]
    if match["year"].startswith("10") and before not in _PLACES_OF_YEARS:
        return None
    counts = _AFTER_A_YEAR.match(rest) and not _NO_PLURAL.match(rest)
    if counts and not (
        before in _PLACES_OF_YEARS and before not in ("of", "about", "around", "by", "to", "and", "from", "between")
    ):
        return None
    return numerals.year(match["year"])


def _date(month: int, day: str, year: str) -> str:
    spoken = f"oh {numerals.cardinal(year[1])}" if len(year) == 2 and year[0] == "0" else numerals.year(year)
    return f"{MONTH_NAMES[month - 1]} {numerals.ordinal(day.lstrip('0') or '0')} , {spoken}"


def _year_of(match: re.Match[str]) -> str:
    return f" {', ' if match['comma'] else ''}{numerals.year(match['year'])}" if match["year"] else ""


def _month(text: str) -> str:
    name = text.lower().rstrip(".")
    return MONTHS.get(name, name)


def _counted(digits: str, noun: str) -> str:
    plain = digits.lstrip("0") or "0"
    return f"{numerals.cardinal(plain)} {noun}{'' if plain == '1' else 's'}"
