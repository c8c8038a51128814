"""Lengths of time written with letters: `1h 30m`, `2h30`, `5m 10s`."""

from __future__ import annotations

import re

from trainer.text import numerals

_LETTERS = {"d": "day", "h": "hour", "m": "minute", "s": "second"}
_UNIT = r"(?:d|h(?:rs?)?|m(?:ins?)?|s(?:ecs?)?)"
SEVERAL = re.compile(
    rf"\d{{1,4}}\s?{_UNIT}\.?(?:\s?\d{{1,4}}\s?{_UNIT}(?![A-Za-z])\.?){{1,3}}(?!\d)"
    r"|(?P<hours>\d{1,2})h(?P<minutes>[0-5]\d)(?![A-Za-z\d])"
)
_PART = re.compile(r"(\d+)\s?([dhms])")
_CLOCK_BEFORE = frozenset("at by until till from to before after around about".split())


def several(match: re.Match[str], before: str) -> str | None:
    """`3h 15m 20s` -> "three hours fifteen minutes twenty seconds", `at 19h30` -> "nineteen thirty"; None where the order is another."""
    if match["hours"] and before in _CLOCK_BEFORE:
        return f"{numerals.cardinal(match['hours'].lstrip('0') or '0')}{numerals.minutes(match['minutes'])}"
    if match["hours"]:
        hours, minutes = match["hours"], match["minutes"].lstrip("0") or "0"
        return f"{_counted(hours, 'hour')} {numerals.cardinal(minutes)}"
    parts = _PART.findall(match[0])
    order = ["dhms".index(letter) for _, letter in parts]
    if order != sorted(set(order)):
        return None
    return " ".join(_counted(digits, _LETTERS[letter]) for digits, letter in parts)


def _counted(digits: str, noun: str) -> str:
    plain = digits.lstrip("0") or "0"
    return f"{numerals.cardinal(plain)} {noun}{'' if plain == '1' else 's'}"
