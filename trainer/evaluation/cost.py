"""What an evaluation costs, so that it can be said before it begins.

Measured on one core of an AMD EPYC with eight clips of an LJSpeech reader: nine tenths of the time of a clip go to DNSMOS P.835, which judges
windows of 9 s, and to the recogniser. A clip that is shorter than a window is repeated until it fills several, so a short clip is not cheap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trainer.audio import clip
from trainer.evaluation import realism
from trainer.evaluation.measures import LONGEST_S
from trainer.evaluation.prompts import Item

_WINDOW_S, _RECOGNISED, _OTHER, _START_S = 0.4, 0.22, 0.02, 3.0
"""CPU-seconds: for one window of DNSMOS, for a second that is recognised, for all else in a second, and for a process with its models."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """CPU-seconds of an evaluation, and how long the clips are together."""

    cpu_s: float
    audio_s: float
    clips: int
    reference: int
    processes: int

    def sentence(self) -> str:
        """What a person is told before it begins."""
        each = self.cpu_s / max(self.clips, 1)
        return (
            f"{self.clips} clips ({self.audio_s:.0f} s), {self.reference} of reference: about {self.cpu_s:.0f} CPU-seconds ({each:.1f} a clip), "
            f"{self.cpu_s / self.processes:.0f} s on {self.processes} free core{'s' if self.processes > 1 else ''}; other machines differ"
        )


def expected(items: Sequence[Item], reference: Sequence[Path], processes: int) -> Cost:
    """The cost of judging these clips against these real ones; a file without a readable header counts as nothing."""
    used = min(processes, max(len(items) + len(reference), 1))
    lengths = [(_seconds(item.path), bool(item.prompt)) for item in items if item.path]
    judged = sum(
        _WINDOW_S * realism.windows(seconds) + (_RECOGNISED if words else 0.0) * seconds + _OTHER * seconds
        for seconds, words in lengths
        if seconds
    )
    compared = sum(_OTHER * _seconds(path) for path in reference)
    # With one process the clips are judged where the command runs; with more, each process loads the models once, and so does the command.
    starts = _START_S * (used + (used > 1))
    return Cost(
        cpu_s=judged + compared + starts,
        audio_s=sum(seconds for seconds, _ in lengths),
        clips=len(items),
        reference=len(reference),
        processes=used,
    )


def _seconds(path: Path) -> float:
    return min(clip.seconds(path), LONGEST_S)
