"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
from collections.abc import Iterator
from io import BufferedRandom
from pathlib import Path

from trainer.errors import TrainingError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # Windows has none

TEMPORARY_SUFFIX = ".tmp"
_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{16}\.tmp")
_swept: set[Path] = set()
"""Folders in which this process has removed what killed writers left."""


def write_atomically(path: Path, data: bytes) -> None:
    """Replace `path` by `data` (temporary file beside it, fsync, rename); raises TrainingError(disk_full | output_not_writable)."""
    try:
        with replacing(path) as stream:
            stream.write(data)
        sync_directory(path.parent)
    except OSError as error:
        raise unwritable(path, error) from error


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BufferedRandom]:
    """A new file, to write and to read back, that takes the place of `path` at the end of the block; raises OSError.

    After an exception it is removed, at whatever moment that came: a signal's may come between any two instructions. The file holds a lock,
    which ends with its writer: the first writer of a process in a folder removes what killed ones left there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.parent not in _swept:
        _swept.add(path.parent)
        sweep(path.parent)
    # Nobody can have put a link under its name, and no two writers share one. Not tempfile.mkstemp: that file would be its owner's alone.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}{TEMPORARY_SUFFIX}")
    stream = None
    try:
        stream = os.fdopen(_created(temporary), "w+b")
        yield stream
        stream.flush()
        os.fsync(stream.fileno())
        os.replace(temporary, path)  # while it is held: nobody takes it for a dead writer's
    finally:  # what fails here hides no error of the block
        with contextlib.suppress(OSError):
            temporary.unlink()
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()


def _created(temporary: Path) -> int:
    flags = (
        os.O_RDWR
        | os.O_CREAT
        | os.O_EXCL
        | getattr(os, "O_NOFOLLOW", 0)
        | getattr(os, "O_CLOEXEC", 0)
        | getattr(os, "O_BINARY", 0)
    )
    while True:
        descriptor = os.open(temporary, flags, 0o666)
        _hold(descriptor, patient=True)
        if os.fstat(descriptor).st_nlink:
            return descriptor
        os.close(descriptor)  # a sweeper was between the two calls


def remove_leftovers(path: Path) -> None:
    """Remove temporary files that killed writers of `path` left behind (its name may be a pattern); those of living ones stay."""
    for leftover in path.parent.glob(f".{path.name}.*{TEMPORARY_SUFFIX}"):
        _remove_dead(leftover)


def sweep(folder: Path) -> None:
    """Remove the temporary files of all killed writers in a folder; other files, and those of living writers, stay."""
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            if _TEMPORARY.fullmatch(name):
                _remove_dead(folder / name)


def _remove_dead(leftover: Path) -> None:
    with contextlib.suppress(OSError):
        descriptor = os.open(
            leftover,
            os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0),
        )
        try:
            if _hold(descriptor, patient=False):
                leftover.unlink()
        finally:
            os.close(descriptor)


def _hold(descriptor: int, *, patient: bool) -> bool:
    """Lock an open file until it is closed or its process ends; False where another one holds it."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if patient else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return patient
    return True


def unwritable(path: Path, error: OSError) -> TrainingError:
    """The TrainingError for a failed write to `path`."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return TrainingError(f"{path}: no space left; free space on that file system and run again", cause="disk_full")
    denied = error.errno in (errno.EACCES, errno.EPERM)
    action = f"make {path.parent} writable for this user" if denied else "choose another place"
    return TrainingError(f"{path}: {error.strerror}; {action}", cause="output_not_writable")


def sync_directory(directory: Path) -> None:
    """Force to the disk what a directory lists: a new file's content alone does not make it findable after a crash. Raises OSError."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
