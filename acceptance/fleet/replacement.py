"""A workspace takes the place of the former one; a fleet that is killed at any moment leaves one of them whole."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from acceptance.runtimes.signals import uninterrupted


def replace(path: Path, make: Callable[[Path], None]) -> None:
    """Put what `make` writes into a new folder in the place of `path`, all of it or nothing; raises OSError and what `make` raises."""
    fresh, former = _beside(path)
    recover(path)
    try:
        make(fresh)
        with uninterrupted():
            path.rename(former)
            fresh.rename(path)
    finally:
        recover(path)


def recover(path: Path) -> None:
    """Bring back the workspace that a replacement, cut short between its two steps, left beside its place; raises OSError."""
    fresh, former = _beside(path)
    if not path.exists() and former.exists():
        (fresh if fresh.exists() else former).rename(path)  # the fresh one was whole before the former one moved
    if path.exists():
        for leftover in (fresh, former):
            shutil.rmtree(leftover, ignore_errors=True)


def _beside(path: Path) -> tuple[Path, Path]:
    return path.with_name(f".{path.name}.new"), path.with_name(f".{path.name}.old")
