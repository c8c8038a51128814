"""Reading files that a container wrote: never through a link, never a device, never more than a limit."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO


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
    """Open a regular file without following a link at its end and without blocking on a FIFO; raises UntrustedFileError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        missing = error.errno in (errno.ENOENT, errno.ENOTDIR)
        reason = "is a symbolic link" if error.errno == errno.ELOOP else (error.strerror or "cannot be opened")
        raise UntrustedFileError(f"{path.name}: {reason}", missing=missing) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UntrustedFileError(f"{path.name}: is not a regular file")
    with os.fdopen(descriptor, "rb") as file:
        yield file


def read(path: Path, *, limit: int) -> bytes:
    """The whole content, at most `limit` bytes; raises UntrustedFileError."""
    with opened(path) as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise UntrustedFileError(f"{path.name}: is larger than {limit} bytes")
    return data


def identify(path: Path) -> FileIdentity:
    """Size and SHA-256 of the content; raises UntrustedFileError."""
    with opened(path) as file:
        digest = hashlib.file_digest(file, "sha256")
        return FileIdentity(bytes=file.tell(), sha256=digest.hexdigest())


def identify_if_regular(path: Path) -> FileIdentity | None:
    """As `identify`, or None where there is no plain file."""
    try:
        return identify(path)
    except UntrustedFileError:
        return None
