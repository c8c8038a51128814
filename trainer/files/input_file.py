"""Inputs that are not there are named at once, before anything heavy is imported to read them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path


def require(kind: Callable[..., Exception], path: Path | None, *, cause: str, next_step: str) -> None:
    """Raises `kind` where a path is given and nothing is there; whoever reads it says what else is wrong with it."""
    if path is not None and not os.path.lexists(path):
        raise kind(f"{path}: there is no such file or folder; {next_step}", cause=cause)
