"""Live progress of the build and of the training: one bar on a terminal, a plain line now and then in a log.

What a container prints is untrusted: only the numbers of a well-formed PROGRESS line reach the screen, and build lines are stripped of
control characters and of the `::command::` syntax that CI systems obey.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from typing import TextIO

from tqdm import tqdm

from acceptance.classify import MARKERS
from trainer.printable import printable

_PROGRESS = re.compile(r"PROGRESS (\d{1,9}) (\d{1,9}) loss=(-?\d{1,12}(?:\.\d{1,12})?(?:e[+-]?\d{1,3})?)\s*", re.ASCII)
_PREPARATION = re.compile(
    r"(?:detect|cut): \d{1,7} s of audio(?: of \d{1,7})?|features of \d{1,6} of \d{1,6} training utterances"
    r"|(?:match|recognise): \d{1,6} of \d{1,6} utterances"
)
_EVERY_S = 15.0
_BUILD_STEP = re.compile(r"Step (\d{1,6})/(\d{1,6}) :", re.ASCII)
_BUILD_LINES = 10

WriteLine = Callable[[str], None]


def parse_progress(line: str) -> tuple[int, int, float] | None:
    """(step, total, loss) of a PROGRESS line, or None when it is anything else."""
    match = _PROGRESS.fullmatch(line)
    if match is None:
        return None
    step, total, loss = int(match[1]), int(match[2]), float(match[3])
    return (step, total, loss) if step <= total and total > 0 and math.isfinite(loss) else None


class BuildProgress:
    """Says which step of the image build runs; receives every line of the build log."""

    def __init__(self, write_line: WriteLine, clock: Callable[[], float] = time.monotonic) -> None:
        self._write_line, self._clock, self._last = write_line, clock, -_EVERY_S

    def __call__(self, line: str) -> None:
        """Print about ten of the `Step n/m` lines at once, first and last among them, and any other line at most every few seconds."""
        text = printable(line).strip()
        if text and (_is_shown(text) or self._clock() - self._last >= _EVERY_S):
            self._last = self._clock()
            self._write_line(f"  build: {text}")


def _is_shown(text: str) -> bool:
    match = _BUILD_STEP.match(text)
    if match is None:
        return False
    step, steps = int(match[1]), max(1, int(match[2]))
    return steps <= _BUILD_LINES or step == 1 or (step * (_BUILD_LINES - 1) // steps) > ((step - 1) * (_BUILD_LINES - 1) // steps)


class TrainProgress:
    """Shows step, loss, percent and time left; receives every line of the container's stream."""

    def __init__(
        self,
        write_line: WriteLine,
        *,
        terminal: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write_line, self._terminal, self._clock = write_line, terminal, clock
        self._bar: tqdm | None = None
        self._last, self._first = -_EVERY_S, None

    def __call__(self, line: str) -> None:
        """Take one line of the stream; anything but a phase marker, PROGRESS or the preparation's own progress is ignored."""
        if line in MARKERS:
            self._write_line(f"  job: {line}")
            return
        if _PREPARATION.fullmatch(line):
            self._now_and_then(f"  job: {line}")
            return
        seen = parse_progress(line)
        if seen is None:
            return
        self._first = self._first or (seen[0], self._clock())
        if self._terminal is not None:
            self._draw(*seen)
        else:
            self._now_and_then(self._text(*seen), at_once=seen[0] == seen[1])

    def close(self) -> None:
        """End the bar, leaving its last state on the screen."""
        if self._bar is not None:
            self._bar.close()

    def _now_and_then(self, text: str, *, at_once: bool = False) -> None:
        if at_once or self._clock() - self._last >= _EVERY_S:
            self._last = self._clock()
            self._write_line(text)

    def _draw(self, step: int, total: int, loss: float) -> None:
        if self._bar is None:
            self._bar = tqdm(total=total, desc="  training", unit="step", file=self._terminal, dynamic_ncols=True, initial=step)
        self._bar.set_postfix_str(f"loss {loss:.4f}", refresh=False)
        self._bar.update(step - self._bar.n)

    def _text(self, step: int, total: int, loss: float) -> str:
        first_step, first_time = self._first
        elapsed = self._clock() - first_time
        left = "" if step <= first_step else f", {tqdm.format_interval(elapsed / (step - first_step) * (total - step))} left"
        return f"  training: step {step}/{total} ({100 * step // total} %), loss {loss:.4f}{left}"
