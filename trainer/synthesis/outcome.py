"""What `say` wrote, and what it could not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenFile:
    """One file of speech; `line` is the number of the text's line in it with --lines."""

    path: Path
    seconds: float
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedLine:
    """A line that could not be spoken, and why."""

    line: int
    error: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenText:
    """Everything that a text became."""

    files: tuple[WrittenFile, ...]
    spent_s: float
    directory: Path | None = None
    """With --lines."""
    failed: tuple[FailedLine, ...] = ()
