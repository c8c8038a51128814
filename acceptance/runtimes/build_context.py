"""A build context as a byte-stable archive: sorted names, no owner, no time, modes reduced to what an image can tell apart."""

from __future__ import annotations

import hashlib
import os
import stat
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Protocol

from acceptance.failure import EnvironmentBlocked

_READ_BYTES = 2**20


class Sink(Protocol):
    """Where an archive's bytes go."""

    def write(self, data: bytes, /) -> int: ...


class _Digesting:
    """A sink that hashes what passes to `target` (or to nowhere)."""

    def __init__(self, target: Sink | None) -> None:
        self._target = target
        self._hash = hashlib.sha256()

    def write(self, data: bytes, /) -> int:
        self._hash.update(data)
        return len(data) if self._target is None else self._target.write(data)

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


def write_archive(root: Path, names: Iterable[str], target: Sink | None) -> str:
    """Write the tar of `names` (relative to `root`) to `target`; returns the SHA-256 of its bytes.

    The same files give the same bytes wherever and whenever they lie. Sockets, devices and FIFOs are left out. Raises
    EnvironmentBlocked(build_context_missing_file | sources_changed) when a file cannot be read or changes meanwhile.
    """
    sink = _Digesting(target)
    with tarfile.open(mode="w|", fileobj=sink, format=tarfile.PAX_FORMAT, bufsize=_READ_BYTES) as archive:  # type: ignore[arg-type]
        for name in sorted(set(names)):
            _add(archive, root / name, name)
    return sink.hexdigest()


def _add(archive: tarfile.TarFile, path: Path, name: str) -> None:
    try:
        found = path.lstat()
        if stat.S_ISREG(found.st_mode):
            with _open_regular(path) as stream:
                archive.addfile(_member(name, os.fstat(stream.fileno()), path), stream)
        elif stat.S_ISDIR(found.st_mode) or stat.S_ISLNK(found.st_mode):
            archive.addfile(_member(name, found, path))
    except FileNotFoundError as error:
        raise EnvironmentBlocked(f"{name} vanished while the build context was read", cause="sources_changed") from error
    except PermissionError as error:
        raise EnvironmentBlocked(f"{name} cannot be read: {error.strerror}", cause="build_context_missing_file") from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise EnvironmentBlocked(f"{name} changed while the build context was read", cause="sources_changed") from error


def _open_regular(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb")


def _member(name: str, found: os.stat_result, path: Path) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    if stat.S_ISDIR(found.st_mode):
        member.type, member.mode = tarfile.DIRTYPE, 0o755
    elif stat.S_ISLNK(found.st_mode):
        member.type, member.mode, member.linkname = tarfile.SYMTYPE, 0o777, os.readlink(path)
    else:
        member.mode = 0o755 if found.st_mode & 0o111 else 0o644
        member.size = found.st_size
    return member
