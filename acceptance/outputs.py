"""The three outputs of a job: kept safe before a run, told apart from stale ones after it, restored when the run does not hold.

A run writes straight into the workspace, over the previous manifest, status and checkpoint. `Outputs.keep` copies those into the run's
directory first. If the objective ends blocked, what the run wrote moves to `rejected/` and the previous files return, byte for byte. After
SIGKILL the next session does the same from the copies.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from acceptance.settings import Settings
from acceptance.untrusted_file import FileIdentity, identify_if_regular
from trainer.atomic_file import write_atomically

PREVIOUS, REJECTED, INDEX = "previous", "rejected", "index.json"
OUTPUTS = ("manifest", "status", "checkpoint")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """Paths of the outputs and what stood there before the run."""

    workspace: Path
    run_dir: Path
    paths: dict[str, str]
    """Name -> path relative to the workspace."""
    before: dict[str, FileIdentity | None]
    stamps: dict[str, tuple[int, int] | None]
    """Name -> (inode, mtime in ns) before the run."""

    @classmethod
    def keep(cls, settings: Settings, workspace: Path, run_dir: Path) -> Outputs:
        """Copy the outputs that exist into the run's directory; raises OSError."""
        paths = {name: getattr(settings, name) for name in OUTPUTS}
        keep = run_dir / PREVIOUS
        keep.mkdir(exist_ok=True)
        before: dict[str, FileIdentity | None] = {}
        stamps: dict[str, tuple[int, int] | None] = {}
        for name, relative in paths.items():
            source = workspace / relative
            before[name] = identify_if_regular(source)
            stamps[name] = _stamp(source)
            if before[name] is not None:
                shutil.copy2(source, keep / name, follow_symlinks=False)
        write_atomically(keep / INDEX, json.dumps(paths, sort_keys=True).encode())
        return cls(workspace=workspace, run_dir=run_dir, paths=paths, before=before, stamps=stamps)

    def path(self, name: str) -> Path:
        """Absolute path of an output."""
        return self.workspace / self.paths[name]

    def is_stale(self, name: str) -> bool:
        """Whether the file there is still the one from before the run (same inode, time and content)."""
        return (
            self.before[name] is not None
            and _stamp(self.path(name)) == self.stamps[name]
            and identify_if_regular(self.path(name)) == self.before[name]
        )

    def is_new(self, name: str) -> bool:
        """Whether the run left a plain file there."""
        return identify_if_regular(self.path(name)) is not None and not self.is_stale(name)


def reject(workspace: Path, run_dir: Path) -> tuple[str, ...]:
    """Undo what the run did to the outputs: its files move to `rejected/`, the previous ones return. Returns the names restored.

    Does nothing for a run that kept no copies (it never came to training), and may be called again after an interruption.
    """
    keep = run_dir / PREVIOUS
    if not (keep / INDEX).is_file():
        return ()
    paths: dict[str, str] = json.loads((keep / INDEX).read_text(encoding="utf-8"))
    restored = []
    for name, relative in sorted(paths.items()):
        target, copy = workspace / relative, keep / name
        kept = identify_if_regular(copy)
        if kept is not None and identify_if_regular(target) == kept:
            continue
        if os.path.lexists(target):
            _move_aside(target, run_dir / REJECTED / target.name)
        if kept is not None:
            _restore(copy, target)
            restored.append(name)
    (keep / INDEX).rename(keep / "restored.json")
    return tuple(restored)


def accept(run_dir: Path) -> None:
    """The run holds: its outputs stay, the copies of the previous ones are no longer needed."""
    shutil.rmtree(run_dir / PREVIOUS, ignore_errors=True)


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def _move_aside(source: Path, target: Path) -> None:
    target.parent.mkdir(exist_ok=True)
    shutil.move(source, target)


def _restore(copy: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.restoring")
    shutil.copy2(copy, temporary, follow_symlinks=False)
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(temporary, target)
