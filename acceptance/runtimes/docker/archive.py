"""Folders as a tar, to a machine that shares none with this one, and back; what comes back was written by the job and is not trusted.

Both ways only plain files and folders pass, of bounded number and size. Nothing of what came back reaches its place before all of it was
read and found good.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from acceptance.failure import EnvironmentBlocked, TrainFailed, not_written
from acceptance.runtimes.signals import raise_if_interrupted
from trainer.errors import TrainerError
from trainer.files import plain_file
from trainer.files.placed_file import place
from trainer.files.printable import printable

MAX_MEMBERS = 200_000
MAX_INPUT_BYTES = 2**36
_PIECE = 2**20
_END = bytes(2 * tarfile.BLOCKSIZE)
_NOT_SENT = (".git", "artifacts/runs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A file as it was sent: what it is known by when it comes back."""

    mtime: int
    sha256: str


@dataclass(slots=True, kw_only=True)
class Sending:
    """Paths of a workspace as a tar of plain files that `uid` and `gid` own; `sent` tells afterwards what was in it."""

    workspace: Path
    paths: Sequence[str]
    """Files and folders, whole."""
    folders: Sequence[str]
    """Folders that must be there for the job to write."""
    uid: int
    gid: int
    sent: dict[str, Sent] = field(default_factory=dict)
    sent_folders: set[str] = field(default_factory=set)
    size: int = 0
    _walked: set[str] = field(default_factory=set)

    def __iter__(self) -> Iterator[bytes]:
        """The archive's pieces; raises EnvironmentBlocked(input_not_sendable)."""
        for name in (*self.folders, *self.paths):
            yield from self._parents(name)
            yield from self._tree(name)
        yield _END

    def _parents(self, name: str) -> Iterator[bytes]:
        for parent in reversed(PurePosixPath(name).parents[:-1]):
            yield from self._folder(str(parent))

    def _tree(self, name: str) -> Iterator[bytes]:
        raise_if_interrupted()
        if name in self._walked or name in _NOT_SENT:
            return
        self._walked.add(name)
        if len(self.sent) + len(self.sent_folders) >= MAX_MEMBERS:
            raise _not_sendable(name, f"the job would need more than {MAX_MEMBERS} files")
        try:
            mode = (self.workspace / name).lstat().st_mode
            if stat.S_ISDIR(mode):
                yield from self._folder(name)
                for entry in sorted(os.listdir(self.workspace / name)):
                    yield from self._tree(f"{name}/{entry}")
            else:
                yield from self._file(name)
        except OSError as error:
            raise _not_sendable(
                name, str(error) if isinstance(error, plain_file.PlainFileError) else error.strerror
            ) from error

    def _folder(self, name: str) -> Iterator[bytes]:
        if name not in self.sent_folders:
            try:
                os.close(plain_file.folder(self.workspace, PurePosixPath(name).parts))
            except plain_file.PlainFileError as error:
                raise _not_sendable(name, str(error)) from error
            self.sent_folders.add(name)
            yield self._header(name, tarfile.DIRTYPE, 0o755, 0, 0)

    def _file(self, name: str) -> Iterator[bytes]:
        with plain_file.opened(self.workspace / name, root=self.workspace) as file:
            found, digest = os.fstat(file.fileno()), hashlib.sha256()
            mtime = max(0, int(found.st_mtime))
            self.size += found.st_size
            if self.size > MAX_INPUT_BYTES:
                raise _not_sendable(name, f"the job would need more than {MAX_INPUT_BYTES} bytes")
            yield self._header(name, tarfile.REGTYPE, 0o755 if found.st_mode & 0o111 else 0o644, found.st_size, mtime)
            left = found.st_size
            while left:
                raise_if_interrupted()
                piece = file.read(min(left, _PIECE))
                if not piece:
                    raise _not_sendable(name, "it shrank while it was read")
                digest.update(piece)
                left -= len(piece)
                yield piece
            yield bytes(-found.st_size % tarfile.BLOCKSIZE)
        self.sent[name] = Sent(mtime=mtime, sha256=digest.hexdigest())

    def _header(self, name: str, kind: bytes, mode: int, size: int, mtime: int) -> bytes:
        member = tarfile.TarInfo(name)
        member.type, member.mode, member.size, member.mtime = kind, mode, size, mtime
        member.uid, member.gid = self.uid, self.gid
        return member.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


@dataclass(slots=True, kw_only=True)
class Returning:
    """What a job left in its output folders: first all of it is read into `staging`, then each file gets its place."""

    workspace: Path
    staging: Path
    sending: Sending
    max_bytes: int
    size: int = 0
    members: int = 0
    files: dict[str, bool] = field(default_factory=dict)
    """Name in the workspace -> whether the job wrote it; one that it left alone stays as it is here."""
    folders: set[str] = field(default_factory=set)

    def read(self, folder: str, archive: Iterable[bytes]) -> None:
        """Take the tar of one output folder; raises TrainFailed(output_refused) naming what is no plain file, or too much."""
        top, stream = PurePosixPath(folder).name, _Stream(archive)
        try:
            with tarfile.open(mode="r|", fileobj=stream, errorlevel=2) as tar:
                for member in tar:
                    raise_if_interrupted()
                    self._take(tar, member, self._name(folder, top, member))
        except tarfile.TarError as error:
            raise _incomplete(folder, str(error)) from error
        if folder not in self.folders or not stream.is_complete():
            raise _incomplete(folder, "its end is missing")

    def _name(self, folder: str, top: str, member: tarfile.TarInfo) -> str:
        parts = member.name.rstrip("/").split("/")
        if parts[0] != top or not all(part not in ("", ".", "..") for part in parts):
            raise _refused(member.name, "its name leads out of its folder")
        return "/".join((folder, *parts[1:]))

    def _take(self, tar: tarfile.TarFile, member: tarfile.TarInfo, name: str) -> None:
        self.members += 1
        if self.members > MAX_MEMBERS:
            raise _refused(name, f"there are more than {MAX_MEMBERS} files")
        if not (member.isdir() or member.type in (tarfile.REGTYPE, tarfile.AREGTYPE)):
            raise _refused(name, f"it is {_kind(member)}, and only plain files and folders are copied back")
        if name in self.files or (name in self.folders and not member.isdir()):
            raise _refused(name, "it comes twice")
        if member.isdir():
            self.folders.add(name)
            return
        self.size += member.size
        if self.size > self.max_bytes:
            raise _refused(
                name, f"with it the outputs have {self.size} bytes, and {self.max_bytes} are copied back at most"
            )
        before = self.sending.sent.get(name)
        digest = self._keep(tar, member, self._staged(len(self.files)))
        self.files[name] = before != Sent(mtime=int(member.mtime), sha256=digest)

    def _staged(self, number: int) -> Path:
        return self.staging / str(number)

    def _keep(self, tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> str:
        digest, source = hashlib.sha256(), tar.extractfile(member)
        assert source is not None
        try:
            with target.open("xb") as file:
                while piece := source.read(_PIECE):
                    raise_if_interrupted()
                    digest.update(piece)
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise not_written("what the job wrote cannot be kept", error, cause="workspace_unwritable") from error
        return digest.hexdigest()

    def settle(self) -> None:
        """Make the workspace's output folders what the job left; raises EnvironmentBlocked(disk_full | workspace_unwritable)."""
        try:
            self._remove_what_is_gone()
            for name in sorted(self.folders):
                self._place_folder(name)
            for number, (name, is_new) in enumerate(self.files.items()):
                if is_new:
                    os.close(plain_file.folder(self.workspace, PurePosixPath(name).parts[:-1]))
                    place(self._staged(number), self.workspace / name)
        except (OSError, TrainerError) as error:
            raise not_written(
                "what the job wrote cannot be put in its place", error.__cause__ or error, cause="workspace_unwritable"
            ) from error

    def _place_folder(self, name: str) -> None:
        path = self.workspace / name
        if not path.is_dir():
            path.mkdir()
        os.close(plain_file.folder(self.workspace, PurePosixPath(name).parts))

    def _remove_what_is_gone(self) -> None:
        """Files and folders that were sent and that the job removed."""
        roots = tuple(f"{folder}/" for folder in self.sending.folders)
        for name in self.sending.sent:
            if name.startswith(roots) and name not in self.files:
                (self.workspace / name).unlink(missing_ok=True)
        for name in sorted(self.sending.sent_folders, reverse=True):
            if name.startswith(roots) and name not in self.folders:
                (self.workspace / name).rmdir()


class _Stream(io.RawIOBase):
    """Pieces of bytes as a file."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = self._last = b""

    def is_complete(self) -> bool:
        """Whether the pieces, read to their end, end as a tar does: with two empty blocks."""
        while self._next():
            pass
        return len(self._last) == len(_END) and not any(self._last)

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes, as many as there are."""
        parts, wanted = [], size
        while wanted and (self._rest or self._next()):
            parts.append(self._rest[:wanted])
            self._rest = self._rest[len(parts[-1]) :]
            wanted -= len(parts[-1])
        return b"".join(parts)

    def _next(self) -> bool:
        self._rest = next(self._pieces, b"")
        self._last = (self._last + self._rest[-len(_END) :])[-len(_END) :]
        return bool(self._rest)


def _kind(member: tarfile.TarInfo) -> str:
    kinds = {
        tarfile.SYMTYPE: "a symbolic link", tarfile.LNKTYPE: "a second name of another file", tarfile.CHRTYPE: "a device",
        tarfile.BLKTYPE: "a device", tarfile.FIFOTYPE: "a FIFO",
    }  # fmt: skip
    return kinds.get(member.type, "no plain file")


def _incomplete(folder: str, reason: str) -> EnvironmentBlocked:
    return EnvironmentBlocked(f"{folder} did not come back whole from the engine: {reason}", cause="engine_lost")


def _refused(name: str, reason: str) -> TrainFailed:
    shown = printable(name)[-200:]
    return TrainFailed(
        f"nothing of the outputs was copied back, for {shown}: {reason}", cause="output_refused", path=shown
    )


def _not_sendable(name: str, reason: str | None) -> EnvironmentBlocked:
    shown = printable(name)[-200:]
    return EnvironmentBlocked(
        f"{shown} cannot be copied to the engine: {reason}", cause="input_not_sendable", path=shown
    )
