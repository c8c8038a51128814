"""Reading files that a container wrote: never through a link, never a device, never more than a limit."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from trainer.files import plain_file
from trainer.files.plain_file import PlainFileError

MAX_BYTES = 16 * 2**30
"""Of a file whose greatest size its reader does not know."""
_PIECE = 2**20


class UntrustedFileError(Exception):
    """The path is not a plain file that can be read safely; `missing` tells absence from everything else."""

    def __init__(self, message: str, *, missing: bool = False) -> None:
        super().__init__(message)
        self.missing = missing


@dataclass(frozen=True, slots=True, kw_only=True)
class FileIdentity:
    """Size and content of a file, read through one descriptor."""

    bytes: int
    sha256: str


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file without blocking on a FIFO or following a link at its end; raises UntrustedFileError."""
    with _refusals_named(path):
        descriptor = plain_file.descriptor(path)
    with os.fdopen(descriptor, "rb") as file:
        yield file


def read(path: Path, *, limit: int) -> bytes:
    """The whole content, at most `limit` bytes; raises UntrustedFileError."""
    with _refusals_named(path):
        return plain_file.read(path, limit=limit)


def identify(path: Path, *, limit: int = MAX_BYTES) -> FileIdentity:
    """Size and SHA-256 of a content of at most `limit` bytes; a larger file is refused unread. Raises UntrustedFileError."""
    with opened(path) as file:
        left = limit + 1 if os.fstat(file.fileno()).st_size <= limit else 0
        digest = hashlib.sha256()
        while left and (data := file.read(min(left, _PIECE))):  # it may grow while it is read
            digest.update(data)
            left -= len(data)
        if not left:
            raise UntrustedFileError(f"{path.name}: is larger than {limit} bytes")
        return FileIdentity(bytes=limit + 1 - left, sha256=digest.hexdigest())


def identify_if_regular(path: Path, *, limit: int = MAX_BYTES) -> FileIdentity | None:
    """As `identify`, or None where there is no plain file of at most `limit` bytes."""
    try:
        return identify(path, limit=limit)
    except UntrustedFileError:
        return None


@contextmanager
def _refusals_named(path: Path) -> Iterator[None]:
    try:
        yield
    except PlainFileError as error:
        missing = error.cause in ("missing", "no_directory")
        raise UntrustedFileError(f"{path.name}: {error}", missing=missing) from error
