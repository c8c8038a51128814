"""Digests of paths that a run must leave as it found them."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

_SKIPPED = {"__pycache__", ".pytest_cache", ".ruff_cache", ".hypothesis"}


def digest(path: Path) -> str:
    """SHA-256 over names, modes, link targets and contents below `path`; `absent` where nothing is. Links are not followed."""
    if not os.path.lexists(path):
        return "absent"
    total = hashlib.sha256()
    for entry in _walk(path):
        mode = entry.lstat().st_mode
        total.update(f"{entry.relative_to(path)}\0{stat.S_IFMT(mode):o}\0{mode & 0o111:o}\0".encode("utf-8", "surrogateescape"))
        if stat.S_ISLNK(mode):
            total.update(os.readlink(entry).encode("utf-8", "surrogateescape"))
        elif stat.S_ISREG(mode):
            with entry.open("rb") as file:
                total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()


def snapshot(workspace: Path, project: Path, *, paths: tuple[str, ...]) -> dict[str, str]:
    """Path -> digest for every protected path of the workspace, and of this project where that is another directory."""
    digests = {path: digest(workspace / path) for path in paths}
    if project != workspace:
        digests |= {f"(project) {path}": digest(project / path) for path in paths}
    return digests


def _walk(path: Path) -> list[Path]:
    if path.is_symlink() or not path.is_dir():
        return [path]
    found = [path]
    for root, directories, files in os.walk(path):
        directories[:] = sorted(name for name in directories if name not in _SKIPPED)
        found += [Path(root, name) for name in sorted([*directories, *files])]
    return found
