"""Bounds of an objective's numbers: each with its reason, checked before anything starts.

A number outside ends elsewhere in an engine's refusal, an overflow or a wait that never ends; here it is a usage error that names the bounds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BeforeValidator

_SIZE = re.compile(r"([0-9]{1,18})([kmg]?)", re.IGNORECASE)
_SCALE = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}
_INTEGER = re.compile(r"[+-]?[0-9](?:_?[0-9]){0,29}")
_SHOWN = 40
_LONG_NUMBER = re.compile(r"^[ \t]*([\w.\-\"']{1,80})[ \t]*=[^\n]{0,200}?([0-9][0-9_]{400,})", re.MULTILINE)
_DIGITS = re.compile(r"[0-9][0-9_]{400,}")
_MONTH_S = 30 * 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """From `lowest` to `highest`, both allowed unless `above` says that the lowest is not."""

    lowest: float
    highest: float
    reason: str
    above: bool = False
    text: str = ""
    """How the bounds are written, for sizes."""

    def __str__(self) -> str:
        written = self.text or f"{'above' if self.above else 'from'} {self.lowest:,} to {self.highest:,}"
        return f"{written} ({self.reason})"

    def hold(self, value: float) -> bool:
        """Whether a number lies within."""
        return (
            math.isfinite(value) and self.lowest <= value <= self.highest and not (self.above and value == self.lowest)
        )


_DEADLINE = Bounds(
    lowest=0, highest=_MONTH_S, above=True, reason="seconds; 30 days at most, for nobody waits longer for a voice"
)
BOUNDS: Mapping[str, Bounds] = {
    "min_audio_bytes": Bounds(lowest=0, highest=2**40, reason="bytes; no recording of 24 hours is larger"),
    "max_audio_hours": Bounds(lowest=0, highest=8784, above=True, reason="hours; a year at most"),
    "build_deadline_s": _DEADLINE,
    "train_deadline_s": _DEADLINE,
    "memory": Bounds(
        lowest=6 * 2**20, highest=2**50, text="from 6m to 1048576g", reason="the engine refuses less than 6 MB"
    ),
    "shm": Bounds(
        lowest=64 * 2**10, highest=2**50, text="from 64k to 1048576g", reason="the engine takes 0 for its default"
    ),
    "max_checkpoint": Bounds(
        lowest=1, highest=2**50, text="from 1 to 1048576g", reason="bytes of a checkpoint that is read"
    ),
    "pids_limit": Bounds(lowest=1, highest=2**22, reason="Linux has no more process ids"),
    "seed": Bounds(lowest=0, highest=2**31 - 1, reason="the job takes 31 bits"),
    "threads": Bounds(lowest=1, highest=256, reason="the job takes no more"),
}


def within(key: str, *, whole: bool = False) -> BeforeValidator:
    """A validator for a number: finite, within the bounds of `key` and (where asked) whole."""

    def check(value: Any) -> Any:
        number = _number(value)
        if number is None or not BOUNDS[key].hold(number) or (whole and number != int(number)):
            raise ValueError(f"{shown(value)} is not a number {BOUNDS[key]}")
        return int(number) if whole else number

    return BeforeValidator(check)


def size_within(key: str) -> BeforeValidator:
    """A validator for a size such as 512m within the bounds of `key`."""

    def check(value: Any) -> str:
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63 else value
        try:
            found = size(text)
        except ValueError as error:
            raise ValueError(f"{error}, {BOUNDS[key]}") from error
        if not BOUNDS[key].hold(found):
            raise ValueError(f"{shown(value)} is not a size {BOUNDS[key]}")
        return text

    return BeforeValidator(check)


def size(text: Any) -> int:
    """Bytes of `512m`, `8g`, `1048576`; raises ValueError."""
    match = _SIZE.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{shown(text)} is not a number of bytes with an optional k, m or g such as 512m or 8g")
    return int(match[1]) * _SCALE[match[2].lower()]


def shown(value: Any) -> str:
    """A value for a message: printable and short."""
    if isinstance(value, int) and abs(value) >= 10**_SHOWN:
        return "an integer of more than 40 digits"
    if not isinstance(value, str | int | float):
        return f"a {type(value).__name__}"
    text = ascii(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"


def long_number(text: str) -> str | None:
    """The key of the first number in a TOML text that is longer than any that is meant, with its bounds; None where there is none.

    Python refuses to read an integer of more than 4,300 digits, without saying where it stands.
    """
    if not _DIGITS.search(text):
        return None
    found = _LONG_NUMBER.search(text)
    if found is None or found[1].strip("\"'") not in BOUNDS:
        return None
    key = found[1].strip("\"'")
    return f"{key}: {found[2][:_SHOWN]}… ({len(found[2])} digits) is not a number {BOUNDS[key]}"


def is_deeper(value: Any, depth: int) -> bool:
    """Whether tables and arrays are nested in more than `depth` levels; level by level, so that no depth overflows."""
    level = [value]
    for _ in range(depth):
        level = [
            item
            for outer in level
            for item in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(item, dict | list)
        ]
        if not level:
            return False
    return True


def _number(value: Any) -> float | int | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if not isinstance(value, str):
        return value if not isinstance(value, int) or abs(value) < 2**64 else None
    text = value.strip()
    if _INTEGER.fullmatch(text):
        return int(text)
    try:
        return float(text) if len(text) <= _SHOWN else None
    except ValueError:
        return None
