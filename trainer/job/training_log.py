"""`training_log.csv`: the losses of every step, for people who plot them with what they like."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

COLUMNS = ("step", "steps_total", "stage", "training_loss", "held_out_loss", "seconds")
"""A row has a training loss (one for every step) or a held-out loss (one for every evaluation, after its step)."""


class TrainingLog:
    """Writes the table as the training goes; one that is taken up again goes on below the rows of the steps before.

    Nothing depends on it: a disk that refuses it is told to `note` once, and the training goes on without.
    """

    def __init__(self, path: Path, steps_total: int, note: Callable[[str], None]) -> None:
        self._path, self._total, self._note = path, steps_total, note
        self._file: TextIO | None = None
        self._failed = False
        self._began = 0.0

    def step(self, step: int, loss: float, stage: str) -> None:
        """One step with its training loss."""
        self._row(step, stage, loss, None)

    def evaluated(self, step: int, loss: float, stage: str) -> None:
        """The held-out loss after a step, or before the first one (step 0)."""
        self._row(step, stage, None, loss)

    def _row(self, step: int, stage: str, loss: float | None, held_out: float | None) -> None:
        if self._failed:
            return
        try:
            if self._file is None:
                self._file = self._opened(step)
            now = time.monotonic()
            losses = ("" if value is None else f"{value:.9g}" for value in (loss, held_out))
            csv.writer(self._file, lineterminator="\n").writerow(
                (step, self._total, stage, *losses, f"{now - self._began:.3f}")
            )
            self._file.flush()  # a process that is killed keeps its rows
        except OSError as error:
            self._failed = True
            self._note(f"no more rows in {self._path.name}: {error.strerror}")

    def _opened(self, first: int) -> TextIO:
        """The table, without the rows from step `first` on: they are an earlier run's, or will be written again. Raises OSError."""
        kept = self._rows_before(first)
        # A new file takes its place: whatever stands there, a link for instance, is not written through.
        self._path.unlink(missing_ok=True)
        file = self._path.open("x", encoding="utf-8", newline="")
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *kept])
        self._began = time.monotonic() - (float(kept[-1][-1]) if kept else 0.0)
        return file

    def _rows_before(self, first: int) -> list[list[str]]:
        try:
            whole, _, _ = self._path.read_text(encoding="utf-8").rpartition("\n")  # a last row without its end is torn
            rows = list(csv.reader(whole.splitlines()))
            if not rows or tuple(rows[0]) != COLUMNS:
                return []
            return [row for row in rows[1:] if len(row) == len(COLUMNS) and int(row[0]) < first and float(row[-1]) >= 0]
        except (FileNotFoundError, ValueError, csv.Error):
            return []
