"""What was measured in one clip, and which values that can have at all: what an evaluation and the history of scores have in common."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Protocol

from trainer.evaluation.faults import Signal

RATES = range(4_000, 384_001)
"""Sample rates that a clip may have, in Hz."""
LONGEST_S = 600.0
"""An utterance; a small file may decode to days."""
MOST_CHANNELS = 1024

DIGEST = re.compile("[0-9a-f]{64}")
_MARK = (0.0, 6.0)  # 1 to 5 is what people gave; the networks' last layers are linear and may go a little beyond
_DECIBELS = (-1000.0, 1000.0)
_MARKS = {"similarity": (-1.0, 1.0), "overall": _MARK, "speech": _MARK, "background": _MARK, "p808": _MARK}
_COUNTS = {"word_edits": 0, "words": 1, "character_edits": 0, "characters": 1}
_SIGNAL = {
    "seconds": (0.0, LONGEST_S), "spoken_s": (0.0, LONGEST_S), "not_finite": (0, math.inf), "clipping": (0.0, 1.0), "offset": (0.0, math.inf),
    "silence": (0.0, 1.0), "longest_pause_s": (0.0, math.inf), "start_edge_db": _DECIBELS, "end_edge_db": _DECIBELS,
    "loudness_lufs": _DECIBELS, "snr_db": _DECIBELS,
}  # fmt: skip
"""Least and greatest value by name; of counts only the least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """Everything that a score depends on."""

    audio_sha256: str
    """Of the file; empty where there is none."""
    similarity: float
    """Mean cosine to the reference clips."""
    overall: float
    """`overall`, `speech` and `background` of DNSMOS P.835, and P.808's mark: 1 to 5."""
    speech: float
    background: float
    p808: float
    word_edits: int | None
    """Edits and lengths of the normalised texts; None where words were not judged."""
    words: int | None
    character_edits: int | None
    characters: int | None
    signal: Signal

    def check(self) -> None:
        """Raises ValueError naming what has no possible value."""
        if self.audio_sha256 and not DIGEST.fullmatch(self.audio_sha256):
            raise ValueError(f"{self.audio_sha256[:80]!r} is not a sha256 in hex")
        check_values(self)


class Measured(Protocol):
    """Anything with these numbers; None where nothing was measured."""

    @property
    def word_edits(self) -> int | None:
        """As in `Measures`; the other names are read in the same way."""

    @property
    def signal(self) -> Signal | None:
        """As in `Measures`."""


def check_values(one: Measured) -> None:
    """Raises ValueError naming a number that has no possible value."""
    for name, (low, high) in _MARKS.items():
        in_range(name, getattr(one, name), low, high)
    counts = {name: getattr(one, name) for name in _COUNTS}
    if len({count is None for count in counts.values()}) != 1:
        raise ValueError("words and characters are judged together or not at all")
    for name, least in _COUNTS.items():
        in_range(name, counts[name], least, math.inf)
    if one.signal is not None:
        for name, (low, high) in _SIGNAL.items():
            in_range(f"signal.{name}", getattr(one.signal, name), low, high)


def in_range(name: str, value: float | None, low: float, high: float) -> None:
    """Raises ValueError for a number outside of what its name allows; None is no number."""
    if value is not None and not low <= value <= high:
        raise ValueError(f"{name} has no possible value ({value:g})")
