"""A build context as a byte-stable archive: sorted names, no owner, no time, modes reduced to what an image can tell apart.

The archive is streamed: whatever its size, one piece of it is in memory.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from acceptance.failure import EnvironmentBlocked
from trainer.files import plain_file
from trainer.files.plain_file import PlainFileError

_READ_BYTES = 2**20
_BLOCK = tarfile.BLOCKSIZE
IGNORE_FILE = ".dockerignore"


class Archive:
    """The tar of `names` (relative to `root`); iterating gives its bytes, after which `sha256` is their digest.

    The same files give the same bytes wherever and whenever they lie. Sockets, devices and FIFOs are left out. Raises
    EnvironmentBlocked(build_context_missing_file | sources_changed) when a file cannot be read or changes meanwhile.
    """

    def __init__(self, root: Path, names: Iterable[str]) -> None:
        self._root = root
        self._names = sorted(set(names))
        self.sha256 = ""
        self.bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        digest = hashlib.sha256()
        self.bytes = 0
        for piece in self._pieces():
            digest.update(piece)
            self.bytes += len(piece)
            yield piece
        self.sha256 = digest.hexdigest()

    def digest(self) -> str:
        """SHA-256 of the archive's bytes, without keeping them."""
        for _ in self:
            pass
        return self.sha256

    def _pieces(self) -> Iterator[bytes]:
        for name in self._names:
            try:
                yield from _member(self._root, name)
            except OSError as error:
                if isinstance(error, FileNotFoundError) or (
                    isinstance(error, PlainFileError) and error.cause == "missing"
                ):
                    raise EnvironmentBlocked(
                        f"{name} vanished while the build context was read", cause="sources_changed"
                    ) from error
                raise EnvironmentBlocked(
                    f"{name} cannot be read: {error}", cause="build_context_missing_file"
                ) from error
        yield bytes(2 * _BLOCK)


def ignored_patterns(root: Path) -> list[str]:
    """The patterns of `.dockerignore`, as the command line client reads it; raises EnvironmentBlocked(dockerignore_invalid) naming the line."""
    path = root / IGNORE_FILE
    if not os.path.lexists(path):
        return []
    if not path.is_file():
        raise EnvironmentBlocked(f"{IGNORE_FILE} is not a file that can be read", cause="dockerignore_invalid")
    try:
        lines = path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
    except OSError as error:
        raise EnvironmentBlocked(
            f"{IGNORE_FILE} cannot be read: {error.strerror}", cause="dockerignore_invalid"
        ) from error
    patterns = []
    for number, line in enumerate(lines, start=1):
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise EnvironmentBlocked(
                f"{IGNORE_FILE}, line {number}: is not UTF-8", cause="dockerignore_invalid", line=number
            ) from error
        pattern = "" if text.startswith("#") else text.strip()
        if pattern == "!" or "\0" in pattern or _is_malformed(pattern.removeprefix("!")):
            raise EnvironmentBlocked(
                f"{IGNORE_FILE}, line {number}: is no pattern: {pattern[:80]!a}",
                cause="dockerignore_invalid",
                line=number,
            )
        if pattern:
            patterns.append(pattern)
    return patterns


def _is_malformed(pattern: str) -> bool:
    """Whether the client refuses a pattern: an escape without a character, a bracket that is not closed or holds nothing."""
    rest = re.sub(r"\\.", "x", pattern, flags=re.DOTALL)
    if "\\" in rest:
        return True
    # Each `[`, with an optional ^, holds single characters and ranges; neither of these may be `-` or `]`.
    return "[" in re.sub(r"\[\^?+(?:[^\]\-](?:-[^\]\-])?)+\]", "", rest, flags=re.DOTALL)


def _member(root: Path, name: str) -> Iterator[bytes]:
    path = root / name
    found = path.lstat()
    if stat.S_ISREG(found.st_mode):
        with plain_file.opened(path, root=root) as stream:
            found = os.fstat(stream.fileno())
            yield _header(name, mode=0o755 if found.st_mode & 0o111 else 0o644, size=found.st_size)
            yield from _content(stream, found.st_size, name)
    elif stat.S_ISDIR(found.st_mode):
        yield _header(name, mode=0o755, kind=tarfile.DIRTYPE)
    elif stat.S_ISLNK(found.st_mode):
        yield _header(name, mode=0o777, kind=tarfile.SYMTYPE, link=os.readlink(path))


def _content(stream: BinaryIO, size: int, name: str) -> Iterator[bytes]:
    left = size
    while left:
        piece = stream.read(min(left, _READ_BYTES))
        if not piece:
            raise EnvironmentBlocked(f"{name} shrank while the build context was read", cause="sources_changed")
        left -= len(piece)
        yield piece
    yield bytes(-size % _BLOCK)


def _header(name: str, *, mode: int, size: int = 0, kind: bytes = tarfile.REGTYPE, link: str = "") -> bytes:
    member = tarfile.TarInfo(name)
    member.mode, member.size, member.type, member.linkname = mode, size, kind, link
    return member.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
