"""Digests of paths that a run must leave as it found them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from trainer.files.printable import printable

_SKIPPED = {".pytest_cache", ".ruff_cache", ".hypothesis"}
_MAX_NAMED = 20
_BYTECODE = "__pycache__"
_HALF_WRITTEN = re.compile(r"\.pyc\.\d+$")
"""Under such a name Python writes bytecode before it renames it; it loads nothing that is called so."""


def digest(path: Path) -> str:
    """SHA-256 over names, modes, link targets and contents below `path`; `absent` where nothing is. Links are not followed.

    Bytecode in `__pycache__` is left out: it comes and goes with whoever imports, so `snapshot` has it file by file.
    """
    if not os.path.lexists(path):
        return "absent"
    total = hashlib.sha256()
    for entry in _walk(path):
        if _is_cache(entry, path) or _is_bytecode(entry, path):
            continue
        mode = entry.lstat().st_mode
        total.update(
            f"{entry.relative_to(path)}\0{stat.S_IFMT(mode):o}\0{mode & 0o111:o}\0".encode("utf-8", "surrogateescape")
        )
        if stat.S_ISLNK(mode):
            total.update(os.readlink(entry).encode("utf-8", "surrogateescape"))
        elif stat.S_ISREG(mode):
            total.update(_content(entry))
    return total.hexdigest()


def snapshot(workspace: Path, project: Path, *, paths: tuple[str, ...]) -> dict[str, str]:
    """Name -> digest for every protected path of the workspace, and of this project where that is another directory, and for their bytecode."""
    digests = {name: digest(place) for name, place in _places(workspace, project, paths).items()}
    return digests | {name: _content(file).hex() for name, file in _files(workspace, project, paths).items()}


def remove_bytecode(before: Mapping[str, str], workspace: Path, project: Path, *, paths: tuple[str, ...]) -> list[str]:
    """Remove bytecode that is not that of the snapshot `before`; returns its names.

    The job may have planted it, or another process may have imported something meanwhile: nobody can tell from the file. So Python shall
    load none of it, and makes it anew from the source. What cannot be removed is named by `changed`.
    """
    removed = []
    for name, file in _files(workspace, project, paths).items():
        if _content(file).hex() != before.get(name):
            with contextlib.suppress(OSError):
                file.unlink()
                removed.append(name)
    return removed


def changed(before: Mapping[str, str], workspace: Path, project: Path, *, paths: tuple[str, ...]) -> list[str]:
    """Names of what differs from the snapshot `before`; bytecode that is gone does not count."""
    now = snapshot(workspace, project, paths=paths)
    return [name for name in now if now[name] != before.get(name)]


def _files(workspace: Path, project: Path, paths: tuple[str, ...]) -> dict[str, Path]:
    """Bytecode by name."""
    return {
        f"{name}/{file.relative_to(place)}": file
        for name, place in _places(workspace, project, paths).items()
        for file in _bytecode(place)
    }


def names(found: Sequence[str]) -> str:
    """The names as a message holds them: printable, and not all of very many."""
    more = f" and {len(found) - _MAX_NAMED} more" if len(found) > _MAX_NAMED else ""
    return ", ".join(map(printable, found[:_MAX_NAMED])) + more


def _places(workspace: Path, project: Path, paths: tuple[str, ...]) -> dict[str, Path]:
    places = {path: workspace / path for path in paths}
    if project != workspace:
        places |= {f"(project) {path}": project / path for path in paths}
    return places


def _walk(path: Path) -> Iterator[Path]:
    yield path
    if path.is_symlink():
        return
    for root, directories, files in os.walk(path):
        directories[:] = sorted(name for name in directories if name not in _SKIPPED)
        names = [name for name in files if not (Path(root).name == _BYTECODE and _HALF_WRITTEN.search(name))]
        yield from (Path(root, name) for name in sorted([*directories, *names]))


def _bytecode(path: Path) -> list[Path]:
    return [entry for entry in _walk(path) if _is_bytecode(entry, path)]


def _is_cache(entry: Path, below: Path) -> bool:
    return entry != below and entry.name == _BYTECODE and entry.is_dir() and not entry.is_symlink()


def _is_bytecode(entry: Path, below: Path) -> bool:
    return (
        entry != below
        and entry.suffix == ".pyc"
        and entry.parent.name == _BYTECODE
        and entry.is_file()
        and not entry.is_symlink()
    )


def _content(file: Path) -> bytes:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").digest()
