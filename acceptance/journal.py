"""Write-ahead journal: one fsynced JSON line per event, written before the event counts.

Everything a report needs goes through here, so a report rebuilt after SIGKILL and the one printed live are folds of the same events.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Event = Mapping[str, Any]


class Journal:
    """Appends events to one file; a disk that refuses is remembered in `failure`, never raised, so the report still reaches stdout."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.failure: str | None = None
        self._descriptor: int | None = None
        try:
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        except OSError as error:
            self.failure = f"{path.name}: {error.strerror}"

    def append(self, event: Event) -> None:
        """Write one event and force it to the disk before returning."""
        if self._descriptor is None:
            return
        line = json.dumps(event, sort_keys=True, allow_nan=False).encode() + b"\n"
        try:
            view = memoryview(line)
            while view:
                view = view[os.write(self._descriptor, view) :]
            os.fsync(self._descriptor)
        except OSError as error:
            self.failure = f"{self.path.name}: {error.strerror}"

    def close(self) -> None:
        """Close the file; further events are dropped."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def read(path: Path) -> Iterator[Event]:
    """Events of a journal in order; a torn last line (the writer died in the middle of it) is left out.

    Raises ValueError naming file and line when an earlier line is not a JSON object.
    """
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        try:
            event = json.loads(line)
            if not isinstance(event, dict):
                raise ValueError("not an object")
        except ValueError as error:
            if number == len(lines):
                return
            raise ValueError(f"{path}: line {number} is not an event: {error}") from error
        yield event
