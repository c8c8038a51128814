"""What lies in a folder of clips: each file with its identity, and what is refused, with the reason.

No link is followed below the folder, and nothing is opened but folders. Names that begin with a dot, and files that are neither audio nor a text,
are not looked at.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from trainer.dataset import clip_names as names
from trainer.dataset.clip_names import is_audio
from trainer.dataset.manifest import FILE_NAME as PREPARED_NAME
from trainer.errors import DataError
from trainer.files import plain_file, portable_path
from trainer.files.plain_file import PlainFileError

MAX_DEPTH = 16
"""Folders inside folders; deeper is no dataset."""

TEXT_SUFFIXES = (".txt", ".lab")
NAME_CAUSE = "name_not_portable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What changes when a file's content does."""

    device: int
    inode: int
    bytes: int
    modified_ns: int
    changed_ns: int

    @classmethod
    def of(cls, found: os.stat_result) -> Identity:
        """Of the file that was looked at."""
        return cls(
            device=found.st_dev,
            inode=found.st_ino,
            bytes=found.st_size,
            modified_ns=found.st_mtime_ns,
            changed_ns=found.st_ctime_ns,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Files by path relative to `root`, in no particular order; `refused` holds what must not enter a manifest."""

    root: Path
    files: dict[str, Identity] = field(default_factory=dict)
    refused: dict[str, DataError] = field(default_factory=dict)

    @property
    def audio(self) -> list[str]:
        """The paths that are named like audio, ascending."""
        return sorted(path for path in self.files if is_audio(path))


def is_clip_file(name: str) -> bool:
    """Whether a file is named like audio or like a text beside it."""
    return is_audio(name) or is_text(name)


def is_text(name: str) -> bool:
    """Whether a file is named like a text beside a clip."""
    return name.lower().endswith(TEXT_SUFFIXES)


def tree(root: Path) -> Listing:
    """Everything below a folder but outputs of preparations; raises DataError where the folder itself cannot be read."""
    return _Walk(listing=Listing(root=root), wanted=is_clip_file, deep=True).run([""])


def flat(root: Path, folders: Iterable[str], wanted: Callable[[str], bool] = is_clip_file) -> Listing:
    """What lies directly in some folders below `root` (`""` is the root itself; one that is missing is empty)."""
    return _Walk(listing=Listing(root=root), wanted=wanted).run([folder and f"{folder}/" for folder in folders])


@dataclass(slots=True, kw_only=True)
class _Walk:
    listing: Listing
    wanted: Callable[[str], bool]
    deep: bool = False

    def run(self, prefixes: Sequence[str]) -> Listing:
        root, files, refused = self.listing.root, self.listing.files, self.listing.refused
        try:
            os.close(plain_file.folder(root))
        except PlainFileError as error:
            raise DataError(
                f"{names.shown(str(root))}: {error}; name the folder of the clips", cause="audio_missing"
            ) from error
        for prefix in prefixes:
            self._folder(prefix)
        for path, first in names.twins(files).items():
            reason = f"has the name of {first!a} on systems that ignore case or the form of accents"
            self._refuse(path, f"{reason}; rename one", cause=NAME_CAUSE)
        for path in refused:
            files.pop(path, None)
        return self.listing

    def _folder(self, prefix: str) -> None:
        if prefix.count("/") > MAX_DEPTH:
            self._refuse(
                prefix.rstrip("/"), f"lies deeper than {MAX_DEPTH} folders; move the clips up", cause=NAME_CAUSE
            )
            return
        try:
            descriptor = plain_file.folder(self.listing.root, prefix.split("/")[:-1])
        except PlainFileError as error:
            if error.cause not in ("missing", "no_directory"):
                self._refuse(prefix.rstrip("/"), f"{error}; put a folder there that can be read")
            return
        try:
            with os.scandir(descriptor) as found:
                entries = [] if self._is_prepared(prefix, descriptor) else list(found)
                below = [entry.name for entry in entries if self._is_folder(prefix, entry)]
        finally:
            os.close(descriptor)
        for name in sorted(below):
            self._folder(f"{prefix}{name}/")

    def _is_prepared(self, prefix: str, descriptor: int) -> bool:
        """Whether a folder below the root holds what was made from clips: each would be there twice."""
        return bool(self.deep and prefix and os.access(PREPARED_NAME, os.F_OK, dir_fd=descriptor))

    def _is_folder(self, prefix: str, entry: os.DirEntry[str]) -> bool:
        """Take one name into the listing, unless it is a folder to look into."""
        name, path = entry.name, prefix + entry.name
        wanted = self.wanted(name)
        try:
            found = entry.stat(follow_symlinks=False)
            if name.startswith(".") or not (wanted or (self.deep and entry.is_dir())):
                return False
        except OSError:
            return False  # gone again
        reason = portable_path.problem(path) or (
            "begins with a blank, which a table cannot say" if wanted and name[0].isspace() else None
        )
        if reason:
            self._refuse(path, f"{reason}; rename it", cause=NAME_CAUSE)
        elif stat.S_ISLNK(found.st_mode):
            self._refuse(
                path, "is a symbolic link, which is not followed; put what it names there, for example with cp -rL"
            )
        elif wanted and not stat.S_ISREG(found.st_mode):
            self._refuse(path, "is not a regular file; remove or rename it")
        elif stat.S_ISDIR(found.st_mode):
            return True
        else:
            self.listing.files[path] = Identity.of(found)
        return False

    def _refuse(self, path: str, reason: str, *, cause: str = "audio_not_regular") -> None:
        self.listing.refused[path] = DataError(f"{names.shown(str(self.listing.root / path))}: {reason}", cause=cause)
