"""Write-ahead journal: one fsynced JSON line per event, written before the event counts.

Everything a report needs goes through here, so a report rebuilt after SIGKILL and the one printed live are folds of the same events.
A write that fails half-way is taken back; where even that is refused, the next line says that what stands before it is torn.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

Event = Mapping[str, Any]
_TORN_BEFORE = b'{"event": "torn_before"}'
"""A line of its own: the damaged lines right before it are what is left of failed writes."""
MAX_LINE_BYTES = 16 * 2**20
"""No event is longer: what a step may put into one is bounded."""


class Journal:
    """Appends events to one file; the first refusal of the disk is kept in `failure`, never raised, so the report still reaches stdout."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.failure: str | None = None
        self._descriptor: int | None = None
        self._torn = False
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
            end = os.fstat(self._descriptor).st_size
            self._torn = end > 0 and os.pread(self._descriptor, 1, end - 1) != b"\n"
        except OSError as error:
            self._fail(error)

    def append(self, event: Event) -> None:
        """Write one event and force it to the disk before returning."""
        if self._descriptor is None:
            return
        line = json.dumps(event, sort_keys=True, allow_nan=False).encode() + b"\n"
        if self._torn:
            line = b"\n" + _TORN_BEFORE + b"\n" + line
        try:
            self._write(self._descriptor, line)
            os.fsync(self._descriptor)
        except OSError as error:
            self._fail(error)

    def close(self) -> None:
        """Close the file; further events are dropped."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _write(self, descriptor: int, line: bytes) -> None:
        """The whole line or, as far as the disk lets it, nothing of it; raises OSError."""
        before, written = os.fstat(descriptor).st_size, 0
        try:
            while written < len(line):
                written += os.write(descriptor, line[written:])
        except OSError:
            if written:
                self._take_back(descriptor, before, written)
            raise
        self._torn = False

    def _take_back(self, descriptor: int, before: int, written: int) -> None:
        try:
            if os.fstat(descriptor).st_size != before + written:
                raise OSError("another process wrote behind it")
            os.ftruncate(descriptor, before)
        except OSError:
            self._torn = True

    def _fail(self, error: OSError) -> None:
        self.failure = self.failure or f"{self.path.name}: {error.strerror}"


def read(path: Path) -> Iterator[Event]:
    """Events of a journal in order; left out are a torn end (the writer died in the middle of a line) and lines that are said to be torn.

    Raises ValueError naming file and line when any other line is not a JSON object; OSError.
    """
    damage: ValueError | None = None
    last = b""
    with path.open("rb") as file:
        for number, line in _lines(file):
            last = line
            text = line.removesuffix(b"\n")
            if text == _TORN_BEFORE:
                damage = None
                continue
            try:
                event = _parsed(text)
            except ValueError as error:
                if text and line.endswith(b"\n"):
                    damage = damage or ValueError(f"{path}: line {number} is not an event: {error}")
                continue
            if damage is not None:
                raise damage
            yield event
    if (
        damage is not None and not last.endswith(b"\n") and not _TORN_BEFORE.startswith(last)
    ):  # else the writer died while it said so
        raise damage


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Numbered lines; of one that is too long to be an event only a piece, in bounded memory."""
    number = 0
    while line := file.readline(MAX_LINE_BYTES):
        number += 1
        rest = line
        while len(rest) == MAX_LINE_BYTES and not rest.endswith(b"\n"):
            rest = file.readline(MAX_LINE_BYTES)
        yield number, line if rest is line else line[:64] + b"..." + rest[-1:]


def _parsed(line: bytes) -> Event:
    try:
        event = json.loads(line)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(event, dict):
        raise ValueError("not an object")
    return event
