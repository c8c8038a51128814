"""Live progress of the build and of the training: one bar on a terminal, a plain line now and then in a log.

What a container prints is untrusted: only the numbers of a well-formed PROGRESS line reach the screen, and build lines are stripped of
control characters and of the `::command::` syntax that CI systems obey.
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

from acceptance.runtimes.signals import uninterrupted
from trainer.files.printable import printable
from trainer.job.contract import MARKERS, PROGRESS, parse_progress

if TYPE_CHECKING:
    from tqdm import tqdm

_PREPARATION = re.compile(
    r"(?P<stage>[a-z][a-z ]{0,30}): (?P<done>\d{1,7}) (?:s of audio)?(?: ?of (?P<total>\d{1,7}))?(?P<unit> utterances)?"
    r"|(?P<features>features) of (?P<fdone>\d{1,6}) of (?P<ftotal>\d{1,6}) training utterances", re.ASCII,
)  # fmt: skip
_STAGE = re.compile(r"stage: ([a-z][a-z ]{0,30}) from step (\d{1,9})", re.ASCII)
_WINDOW_S = 30.0
"""The time left is estimated from the pace of so many seconds: the first steps are slower, and stages differ."""
_EVERY_S = 15.0
_BUILD_STEP = re.compile(r"Step (\d{1,6})/(\d{1,6}) :", re.ASCII)
_BUILD_LINES = 10

WriteLine = Callable[[str], None]


class BuildProgress:
    """Says which step of the image build runs; receives every line of the build log."""

    def __init__(self, write_line: WriteLine, clock: Callable[[], float] = time.monotonic) -> None:
        self._write_line, self._clock, self._last = write_line, clock, -_EVERY_S

    def __call__(self, line: str) -> None:
        """Print about ten of the `Step n/m` lines at once, first and last among them, and any other line at most every few seconds."""
        if not line.startswith("Step ") and self._clock() - self._last < _EVERY_S:
            return
        text = printable(line).strip()
        if text and (_is_shown(text) or self._clock() - self._last >= _EVERY_S):
            self._last = self._clock()
            self._write_line(f"  build: {text}")


def _is_shown(text: str) -> bool:
    match = _BUILD_STEP.match(text)
    if match is None:
        return False
    step, steps = int(match[1]), max(1, int(match[2]))
    return (
        steps <= _BUILD_LINES
        or step == 1
        or (step * (_BUILD_LINES - 1) // steps) > ((step - 1) * (_BUILD_LINES - 1) // steps)
    )


class TrainProgress:
    """Shows what is prepared, then step, loss, percent and time left; receives every line of the container's stream."""

    def __init__(
        self,
        write_line: WriteLine,
        *,
        terminal: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write_line, self._terminal, self._clock = write_line, terminal, clock
        self._bar: tqdm | None = None
        self._shown = ""
        """Of what the bar is, or the last line was."""
        self._last = -_EVERY_S
        self._seen: deque[tuple[float, int]] = deque()

    def __call__(self, line: str) -> None:
        """Take one line of the stream; anything but a phase marker, PROGRESS, a stage or the preparation's own progress is ignored."""
        if line.startswith(PROGRESS):
            seen = parse_progress(line)
            if seen is not None:
                self._train(*seen)
            return
        prepared, stage = _PREPARATION.fullmatch(line), _STAGE.fullmatch(line)
        if line in MARKERS:
            self._say(f"  job: {line}")
        elif stage is not None:
            jump = "; its loss is another one than before" if self._seen else ""
            self._seen.clear()
            self._say(f"  training: {stage[1]} from step {stage[2]} on{jump}")
        elif prepared is not None:
            self._prepare(prepared)

    def close(self) -> None:
        """End the bar, leaving its last state on the screen."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _say(self, text: str) -> None:
        """A line of its own, at once."""
        self.close()
        self._write_line(text)

    def _prepare(self, found: re.Match[str]) -> None:
        stage = found["stage"] or found["features"]
        done, total = int(found["done"] or found["fdone"]), int(found["total"] or found["ftotal"] or 0)
        if self._terminal is not None and total:
            self._draw(stage, done, total, "it" if found["unit"] or found["features"] else "s", "")
            return
        new, self._shown = stage != self._shown, stage
        self._now_and_then(f"  job: {found[0]}", at_once=new)

    def _train(self, step: int, total: int, loss: float) -> None:
        now = self._clock()
        self._seen.append((now, step))
        while len(self._seen) > 2 and now - self._seen[1][0] > _WINDOW_S:
            self._seen.popleft()
        if self._terminal is not None:
            self._draw("training", step, total, "step", f"loss {loss:.4f}")
            return
        new, self._shown = self._shown != "training", "training"
        self._now_and_then(self._text(step, total, loss), at_once=new or step == total)

    def _now_and_then(self, text: str, *, at_once: bool = False) -> None:
        if at_once or self._clock() - self._last >= _EVERY_S:
            self._last = self._clock()
            self._write_line(text)

    def _draw(self, what: str, step: int, total: int, unit: str, said: str) -> None:
        if self._bar is None or self._shown != what:
            self.close()
            self._shown = what
            self._bar = _tqdm()(
                total=total, desc=f"  {what}", unit=unit, file=self._terminal, dynamic_ncols=True, initial=step
            )
        self._bar.set_postfix_str(said, refresh=False)
        self._bar.update(step - self._bar.n)

    def _text(self, step: int, total: int, loss: float) -> str:
        (first_time, first_step), (now, _) = self._seen[0], self._seen[-1]
        left = (
            ""
            if step <= first_step
            else f", {_interval((now - first_time) / (step - first_step) * (total - step))} left"
        )
        return f"  training: step {step}/{total} ({100 * step // total} %), loss {loss:.4f}{left}"


def _interval(seconds: float) -> str:
    """A time as the bar writes it: [h:]mm:ss."""
    return _tqdm().format_interval(seconds)


def _tqdm() -> type[tqdm]:
    """Imported where it is needed, whole: a session that preflight ends does without."""
    with uninterrupted():
        from tqdm import tqdm
    return tqdm
