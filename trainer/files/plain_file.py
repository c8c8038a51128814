"""Opening a plain file whose name somebody else chose: never through a link, never a device, never waiting for a FIFO's writer.

Below a `root` no link is followed at all, so that no folder that a container has replaced by a link can lead a read out of it.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

# Windows lacks the POSIX ones and reads as text without O_BINARY: there files of this repository are read, never a container's.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_NOFOLLOW, _DIRECTORY = getattr(os, "O_NOFOLLOW", 0), getattr(os, "O_DIRECTORY", 0)
_CAUSES = {
    errno.ENOENT: "missing",
    errno.ENOTDIR: "no_directory",
    errno.ELOOP: "link",
    errno.ENXIO: "not_regular",  # a socket
    errno.EACCES: "denied",
    errno.EPERM: "denied",
}


class PlainFileError(OSError):
    """The path is no plain file that can be read safely; the message says only what it is, without the path.

    `cause` is missing, no_directory (a component above the file is a file), link, outside (not below the root), not_regular, denied,
    too_large or unreadable; `mode` is the mode of what was opened and found not to be regular.
    """

    def __init__(self, reason: str, *, cause: str, mode: int | None = None) -> None:
        super().__init__(reason)
        self.cause = cause
        self.mode = mode


def descriptor(path: Path, *, root: Path | None = None) -> int:
    """Open a regular file for reading without following a link at its end, nor anywhere below `root`; raises PlainFileError.

    With a root the path must be written below it, without `..`; what leads to the root is trusted. The caller closes the descriptor.
    """
    if root is None:
        return _regular(path, _NOFOLLOW)
    parts = _parts_below(path, root)
    directory = folder(root, parts[:-1])
    try:
        return descriptor_in(directory, parts[-1])
    finally:
        os.close(directory)


def folder(root: Path, parts: Sequence[str] = ()) -> int:
    """Open a folder below `root`, part by part and through no link; raises PlainFileError. The caller closes the descriptor."""
    directory = _open(root, _DIRECTORY)
    try:
        for name in parts:
            below = _open(name, _DIRECTORY | _NOFOLLOW, directory)
            os.close(directory)
            directory = below
    except BaseException:
        os.close(directory)
        raise
    return directory


def descriptor_in(directory: int, name: str) -> int:
    """As `descriptor`, for a file that lies in an open folder: many files of one folder need its path resolved once."""
    return _regular(name, _NOFOLLOW, directory)


def descriptor_through_links(path: Path) -> int:
    """As `descriptor`, following links: only for a path that the user names and no container can write; raises PlainFileError."""
    return _regular(path, 0)


@contextmanager
def opened(path: Path, *, root: Path | None = None) -> Iterator[BufferedReader]:
    """`descriptor` as a binary file that is closed at the end; raises PlainFileError."""
    with os.fdopen(descriptor(path, root=root), "rb") as file:
        yield file


def sha256(path: Path, *, root: Path | None = None) -> str:
    """Of the whole content, in hex; raises PlainFileError."""
    with opened(path, root=root) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_through_links(path: Path) -> str:
    """As `sha256`, for a path as in `descriptor_through_links`."""
    with os.fdopen(descriptor_through_links(path), "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read(path: Path, *, limit: int, root: Path | None = None) -> bytes:
    """The whole content of at most `limit` bytes; a larger file is refused unread. Raises PlainFileError."""
    with opened(path, root=root) as file:
        return _content(file, limit)


def read_through_links(path: Path, *, limit: int) -> bytes:
    """As `read`, for a path as in `descriptor_through_links`."""
    with os.fdopen(descriptor_through_links(path), "rb") as file:
        return _content(file, limit)


def _content(file: BinaryIO, limit: int) -> bytes:
    size = os.fstat(file.fileno()).st_size
    data = file.read(limit + 1) if size <= limit else b""
    if max(size, len(data)) > limit:
        raise PlainFileError(f"is larger than {limit} bytes", cause="too_large")
    return data


def _parts_below(path: Path, root: Path) -> tuple[str, ...]:
    parts = path.relative_to(root).parts if path.is_relative_to(root) else ()
    if not parts or ".." in parts:
        raise PlainFileError("is not below the folder that it belongs to", cause="outside")
    return parts


def _regular(name: Path | str, flags: int, directory: int | None = None) -> int:
    found = _open(name, flags, directory)
    mode = os.fstat(found).st_mode
    if not stat.S_ISREG(mode):
        os.close(found)
        raise PlainFileError("is not a regular file", cause="not_regular", mode=mode)
    return found


def _open(name: Path | str, flags: int, directory: int | None = None) -> int:
    try:
        return os.open(name, _FLAGS | flags, dir_fd=directory)
    except OSError as error:
        if flags & _NOFOLLOW and (
            error.errno == errno.ELOOP or (error.errno == errno.ENOTDIR and _is_link(name, directory))
        ):
            reason = f"its folder {name} is a symbolic link" if flags & _DIRECTORY else "is a symbolic link"
            raise PlainFileError(reason, cause="link") from error
        cause = _CAUSES.get(error.errno or 0, "unreadable")
        raise PlainFileError(error.strerror or "cannot be opened", cause=cause) from error
    except ValueError as error:  # a NUL or a lone surrogate
        raise PlainFileError("has no possible file name", cause="unreadable") from error


def _is_link(name: Path | str, directory: int | None) -> bool:
    """Whether it is a link that was refused: asked for a directory, Linux says ENOTDIR for one."""
    try:
        return stat.S_ISLNK(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode)
    except OSError:
        return False
