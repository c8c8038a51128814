"""Files of canonical JSON, one object a line: written whole or not at all, and read line by line in constant memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from trainer.files import strict_json
from trainer.files.atomic_file import replacing, sync_directory, unwritable

LONGEST_LINE = 2**20
"""Bytes; a longer line is refused before it fills the memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """How many lines a file has, and the sha256 of its bytes."""

    count: int
    sha256: str


class NewFile:
    """A file of JSON lines under construction; `with` finishes it, an exception removes it.

    Raises TrainingError(disk_full | output_not_writable).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._count, self._hash = 0, hashlib.sha256()
        self._file = replacing(path)
        try:
            self._stream = self._file.__enter__()
        except OSError as error:
            raise unwritable(path, error) from error

    def add(self, value: Mapping[str, Any]) -> None:
        """Append one object as a line."""
        data = line(value)
        self._count += 1
        self._hash.update(data)
        try:
            self._stream.write(data)
        except OSError as error:
            raise unwritable(self.path, error) from error

    @property
    def listing(self) -> Listing:
        """Of the lines so far."""
        return Listing(count=self._count, sha256=self._hash.hexdigest())

    def __enter__(self) -> NewFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._file.__exit__(kind, error, trace)
            if error is None:
                sync_directory(self.path.parent)
        except OSError as failure:
            raise unwritable(self.path, failure) from failure


def line(value: Mapping[str, Any]) -> bytes:
    """One object as a line of such a file."""
    return strict_json.canonical(value).encode("ascii") + b"\n"


def lines(stream: BinaryIO) -> Iterator[bytes]:
    """The lines of an open file with their ends; the last one may lack it. Raises ValueError for one that is too long."""
    while found := stream.readline(LONGEST_LINE + 1):
        if len(found) > LONGEST_LINE:
            raise ValueError(f"a line is longer than {LONGEST_LINE} bytes")
        yield found


def parsed(data: bytes) -> Any:
    """The value of one line; raises ValueError for what is no finished line of strict JSON."""
    if not data.endswith(b"\n"):
        raise ValueError("the line has no end")
    return strict_json.loads(data)
