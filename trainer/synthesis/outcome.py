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
    exit_code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Everything that a text became; `warnings` are those that a person was told, each once."""

    files: tuple[WrittenFile, ...]
    warnings: tuple[str, ...]
    spent_s: float
    directory: Path | None = None
    """With --lines."""
    failed: tuple[FailedLine, ...] = ()

    @property
    def exit_code(self) -> int:
        """0, or that of the first line that could not be spoken."""
        return self.failed[0].exit_code if self.failed else 0

    def rows(self) -> list[tuple[str, str]]:
        """What a person reads."""
        seconds = sum(file.seconds for file in self.files)
        if self.directory is not None:
            return [("files", f"{len(self.files)} in {self.directory}"), ("seconds", f"{seconds:.2f}")]
        (file,) = self.files
        return [
            ("speech", str(file.path)),
            ("seconds", f"{seconds:.2f}"),
            ("real_time_factor", f"{self.spent_s / seconds:.3f}"),
        ]
