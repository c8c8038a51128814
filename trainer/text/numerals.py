"""Numbers as English words: cardinals, ordinals, decimals, years, digits, Roman numerals."""

from __future__ import annotations

import re

_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
).split(" ")
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES = ("", "thousand", "million", "billion", "trillion")
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
_ROMAN_FORM = re.compile(r"M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})")

MOST_DIGITS = 3 * len(_SCALES)
"""Whole numbers of more digits are read digit by digit."""
NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+"
"""A number as it is written in English, with or without thousands separators and decimals."""


def cardinal(digits: str) -> str:
    """`"1234"` -> "one thousand two hundred thirty four"; digit by digit with a leading zero or beyond MOST_DIGITS."""
    if len(digits) > MOST_DIGITS or (digits[0] == "0" and len(digits) > 1):
        return spelt(digits)
    number, words = int(digits), []
    if not number:
        return _UNITS[0]
    for scale in reversed(range(len(_SCALES))):
        part = number // 1000**scale % 1000
        if part:
            words += [_below_thousand(part), _SCALES[scale]]
    return " ".join(word for word in words if word)


def ordinal(digits: str) -> str:
    """`"21"` -> "twenty first"."""
    *first, last = cardinal(digits).split(" ")
    regular = f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th"
    return " ".join([*first, _ORDINALS.get(last, regular)])


def spelt(digits: str) -> str:
    """`"007"` -> "zero zero seven"."""
    return " ".join(_UNITS[int(digit)] for digit in digits)


def number(text: str) -> str:
    """Words of what NUMBER matches: `"1,234.50"` -> "one thousand two hundred thirty four point five zero"."""
    whole, point, decimals = text.replace(",", "").partition(".")
    words = cardinal(whole) if whole else ""
    return f"{words} point {spelt(decimals)}".strip() if point else words


def is_one(text: str) -> bool:
    """Whether a noun after this number stands in the singular."""
    return text == "1"


def year(digits: str) -> str:
    """`"1905"` -> "nineteen oh five", `"2005"` -> "two thousand five", `"2024"` -> "twenty twenty four"; else a cardinal."""
    if len(digits) != 4 or digits[0] == "0" or digits[1:3] == "00":
        return cardinal(digits)
    century, rest = cardinal(digits[:2]), digits[2:]
    if rest == "00":
        return f"{century} hundred"
    return f"{century} {'oh ' if rest[0] == '0' else ''}{cardinal(rest.lstrip('0'))}"


def minutes(digits: str) -> str:
    """Minutes of a clock with a blank before: `"05"` -> " oh five"; nothing for `"00"`."""
    if digits == "00":
        return ""
    return f" oh {cardinal(digits[1])}" if digits[0] == "0" else f" {cardinal(digits)}"


def code(digits: str) -> str:
    """Digits in a name: `"747"` -> "seven forty seven", `"101"` -> "one oh one", `"86"` -> "eighty six", `"2000"` -> "two thousand"."""
    if len(digits) == 3 and digits[0] != "0" and digits[1:] != "00":
        rest = f"oh {cardinal(digits[2])}" if digits[1] == "0" else cardinal(digits[1:])
        return f"{cardinal(digits[0])} {rest}"
    return year(digits) if len(digits) <= 4 else spelt(digits)


def plural(words: str) -> str:
    """The plural of the last word of a number: "nineteen ninety" -> "nineteen nineties"."""
    if words.endswith("y"):
        return f"{words[:-1]}ies"
    return f"{words}es" if words.endswith("x") else f"{words}s"


def roman(text: str) -> int | None:
    """The value of a Roman numeral in capitals up to 3999, or None."""
    if not text or not _ROMAN_FORM.fullmatch(text):
        return None
    values = [_ROMAN[letter] for letter in text]
    return sum(-value if value < max(values[index:]) else value for index, value in enumerate(values))


def _below_thousand(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    words = [f"{_UNITS[hundreds]} hundred"] if hundreds else []
    if rest >= 20:
        words.append(_TENS[rest // 10] + (f" {_UNITS[rest % 10]}" if rest % 10 else ""))
    elif rest:
        words.append(_UNITS[rest])
    return " ".join(words)
