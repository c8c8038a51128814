"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from pathlib import Path

from trainer.errors import TrainingError

TEMPORARY_SUFFIX = ".tmp"


def write_atomically(path: Path, data: bytes) -> None:
    """Replace `path` by `data` (temporary file beside it, fsync, rename); raises TrainingError(disk_full | output_not_writable)."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = create_beside(path)
        try:
            with open(descriptor, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        sync_directory(path.parent)
    except OSError as error:
        raise unwritable(path, error) from error


def create_beside(path: Path) -> tuple[int, Path]:
    """A new empty file that `remove_leftovers` knows: (descriptor to write it, its path); raises OSError.

    Nobody can have put a link under its name, and no two writers share one. Not tempfile.mkstemp: that file would be its owner's alone.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}{TEMPORARY_SUFFIX}")
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    return os.open(temporary, flags, 0o666), temporary


def remove_leftovers(path: Path) -> None:
    """Remove temporary files that killed writers of `path` left behind (its name may be a pattern); nobody may be writing it now."""
    for leftover in path.parent.glob(f".{path.name}.*{TEMPORARY_SUFFIX}"):
        with contextlib.suppress(OSError):
            leftover.unlink()


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
