"""The three outputs of a job: kept safe before a run, told apart from stale ones after it, restored when the run does not hold.

A run writes straight into the workspace, over the previous manifest, status and checkpoint. `Outputs.keep` copies those into the run's
directory first. If the objective ends blocked, what the run wrote moves to `rejected/` and the previous files return, byte for byte. After
SIGKILL the next session does the same from the copies, unless a later run has succeeded meanwhile: then they are retired.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acceptance.evidence.untrusted_file import FileIdentity, UntrustedFileError, identify_if_regular, opened
from acceptance.failure import is_full
from acceptance.objective import Settings, parse_size
from acceptance.objectives.output_folders import OUTPUTS
from trainer.errors import TrainerError
from trainer.files import strict_json
from trainer.files.atomic_file import write_atomically

PREVIOUS, REJECTED, INDEX = "previous", "rejected", "index.json"
RESTORED, SUPERSEDED = "restored.json", "superseded.json"
"""What the index becomes when its copies must not be restored again."""
_LEAST_LIMIT = 64 * 2**20
"""Of what is copied: every manifest and status is smaller, whatever the objective allows a checkpoint."""
Stamp = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """Paths of the outputs and what stood there before the run."""

    workspace: Path
    run_dir: Path
    paths: dict[str, str]
    """Name -> path relative to the workspace."""
    before: dict[str, FileIdentity | None]
    stamps: dict[str, Stamp | None]
    """Name -> (inode, mtime in ns) before the run."""

    @classmethod
    def keep(cls, settings: Settings, workspace: Path, run_dir: Path) -> Outputs:
        """Copy the outputs that exist (files and links) into the run's directory; raises OSError.

        One that is too large to be an output of this objective gets a second name there instead: it may be a terabyte of nothing.
        """
        paths = {name: getattr(settings, name) for name in OUTPUTS}
        limit = max(parse_size(settings.max_checkpoint), _LEAST_LIMIT)
        keep = run_dir / PREVIOUS
        keep.mkdir(exist_ok=True)
        before: dict[str, FileIdentity | None] = {}
        stamps: dict[str, Stamp | None] = {}
        for name, relative in paths.items():
            source = workspace / relative
            before[name], stamps[name] = identify_if_regular(source, limit=limit), _stamp(source)
            if _is_larger(source, limit):
                os.link(source, keep / name, follow_symlinks=False)
            elif before[name] is not None or source.is_symlink():
                _copy(source, keep / name)
        index = {
            name: {"path": path, "stamp": stamps[name], "kept": _stamp(keep / name)} for name, path in paths.items()
        }
        _write_index(run_dir, index)
        return cls(workspace=workspace, run_dir=run_dir, paths=paths, before=before, stamps=stamps)

    def path(self, name: str) -> Path:
        """Absolute path of an output."""
        return self.workspace / self.paths[name]

    def is_stale(self, name: str) -> bool:
        """Whether the file there is still the one from before the run (same inode, time and content)."""
        before = self.before[name]
        return (
            before is not None
            and _stamp(self.path(name)) == self.stamps[name]
            and identify_if_regular(self.path(name), limit=before.bytes) == before
        )

    def is_new(self, name: str) -> bool:
        """Whether the run left a plain file there."""
        try:
            with opened(self.path(name)):
                return not self.is_stale(name)
        except UntrustedFileError:
            return False


def reject(workspace: Path, run_dir: Path) -> tuple[str, ...]:
    """Undo what the run did to the outputs: its files move to `rejected/`, the previous ones return. Returns the names restored.

    Does nothing for a run that kept no copies (it never came to training), and may be called again after an interruption; raises OSError.
    """
    keep = run_dir / PREVIOUS
    if not (keep / INDEX).is_file():
        return ()
    restored = []
    for name, row in sorted(_read_index(run_dir).items()):
        target, copy = workspace / row["path"], keep / name
        if not target.parent.resolve().is_relative_to(workspace.resolve()):
            raise OSError(f"{row['path']} leads out of the workspace")
        try:
            back = _put_back(target, copy, row, run_dir)
        except PermissionError:
            if not _open_folders(workspace, target.parent):
                raise
            back = _put_back(target, copy, row, run_dir)
        if back:
            restored.append(name)
    (keep / INDEX).rename(keep / RESTORED)
    return tuple(restored)


def _put_back(target: Path, copy: Path, row: Mapping[str, Any], run_dir: Path) -> bool:
    """Undo one output; whether its copy returned, now or before an interruption."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        target.lstat()  # a folder that is closed is no folder without the file
    if not os.path.lexists(copy) and row.get("kept") is not None and _stamp(target) == tuple(row["kept"]):
        return True
    if _is_untouched(target, copy, row["stamp"]):
        return False
    if os.path.lexists(target):
        _move_aside(target, run_dir / REJECTED / target.name)
    if not os.path.lexists(copy):
        return False
    # Only a copy that the index knows by its inode is known again after an interruption.
    _restore(copy, target, by_rename=row.get("kept") is not None)
    return True


def _open_folders(workspace: Path, folder: Path) -> bool:
    """Give this user back the folders that a job closed (`chmod 000`); False where there was nothing to open."""
    opened_any = False
    for place in reversed([folder, *folder.parents]):
        if not place.is_relative_to(workspace) or place == workspace:
            continue
        status = place.stat()
        if status.st_uid == os.geteuid() and stat.S_IMODE(status.st_mode) & 0o700 != 0o700:
            place.chmod(stat.S_IMODE(status.st_mode) | 0o700)
            opened_any = True
    return opened_any


def kept_paths(run_dir: Path) -> frozenset[str]:
    """Paths (relative to the workspace) that undoing the run would set back; empty where there is nothing, or nothing legible, to undo it by."""
    try:
        return frozenset(row["path"] for row in _read_index(run_dir).values())
    except (OSError, ValueError):
        return frozenset()


def retire(run_dir: Path, paths: frozenset[str]) -> None:
    """A later run succeeded at `paths`: what this one kept of them is never restored, the copies only stay where they are; raises OSError."""
    kept = kept_paths(run_dir)
    if not kept & paths:
        return
    if kept <= paths:
        (run_dir / PREVIOUS / INDEX).rename(run_dir / PREVIOUS / SUPERSEDED)
    else:
        _write_index(run_dir, {name: row for name, row in _read_index(run_dir).items() if row["path"] not in paths})


def accept(run_dir: Path) -> None:
    """The run holds: its outputs stay, the copies of the previous ones are no longer needed."""
    with contextlib.suppress(OSError):  # first the index: a removal that is cut short must not look like a run to undo
        (run_dir / PREVIOUS / INDEX).unlink()
    shutil.rmtree(run_dir / PREVIOUS, ignore_errors=True)


def _write_index(run_dir: Path, index: Mapping[str, Any]) -> None:
    try:
        write_atomically(run_dir / PREVIOUS / INDEX, strict_json.canonical(index).encode())
    except TrainerError as error:
        raise error.__cause__ if isinstance(error.__cause__, OSError) else OSError(str(error)) from error


def _read_index(run_dir: Path) -> dict[str, Any]:
    """Name -> path and stamp; raises OSError, ValueError for what is no index."""
    index = json.loads((run_dir / PREVIOUS / INDEX).read_text(encoding="utf-8"))
    if not isinstance(index, dict) or not all(
        isinstance(row, dict) and {"path", "stamp"} <= row.keys() for row in index.values()
    ):
        raise ValueError(f"{INDEX} is not an index of kept outputs")
    return index


def _is_larger(path: Path, limit: int) -> bool:
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size > limit


def _stamp(path: Path) -> Stamp | None:
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def _is_untouched(target: Path, copy: Path, stamp: list[int] | None) -> bool:
    """Whether `target` is as it was kept; what cannot be copied (a directory, a FIFO) is known by its stamp."""
    if copy.is_symlink():
        return target.is_symlink() and os.readlink(target) == os.readlink(copy)
    if copy.exists():
        kept, there = copy.lstat(), target.lstat() if os.path.lexists(target) else None
        if there is None or there.st_size != kept.st_size:  # first: the job may have left a terabyte of nothing there
            return False
        return os.path.samestat(there, kept) or identify_if_regular(target, limit=kept.st_size) == identify_if_regular(
            copy
        )
    found = _stamp(target)
    return found == (None if stamp is None else tuple(stamp))


def _move_aside(source: Path, target: Path) -> None:
    """Move what a failed run wrote to `rejected/`; where there is no room for it there, it gives way to the previous file."""
    try:
        target.parent.mkdir(exist_ok=True)
        shutil.move(source, target)
    except OSError as error:
        if not is_full(error):
            raise
        _remove(source)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _restore(copy: Path, target: Path, *, by_rename: bool) -> None:
    """Return a kept file to its place: by rename, which needs no space, or across file systems as a copy."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.restoring")
    # The job may have put anything there, a link to the recording for instance.
    _remove(temporary)
    if by_rename:
        try:
            copy.rename(target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
        else:
            return
    _copy(copy, temporary)
    os.replace(temporary, target)


def _copy(source: Path, target: Path) -> None:
    """Copy a file or a link to a path where nothing is, durably, with mode, times and (where allowed) owner; raises OSError."""
    if source.is_symlink():
        target.symlink_to(os.readlink(source))
        return
    try:
        with opened(source) as file, target.open("xb") as copy:
            shutil.copyfileobj(file, copy, 2**20)
            copy.flush()
            status = os.fstat(file.fileno())
            with contextlib.suppress(OSError):
                os.fchown(copy.fileno(), status.st_uid, status.st_gid)
            os.fsync(copy.fileno())
    except UntrustedFileError as error:
        raise OSError(str(error)) from error
    shutil.copystat(source, target)
