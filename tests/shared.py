"""What is costly is done once in a run of the suite, however many processes the tests run in, or not before a test needs it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
from filelock import FileLock


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that `make` filled; whoever comes first makes it, the others wait for it and must not change it."""
    root = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent  # what the workers of one run have in common
    folder, made = root / f"shared-{name}", root / f"shared-{name}.made"
    with FileLock(root / f"shared-{name}.lock"):
        if not made.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            made.touch()
    return folder


def skip_without(package: str, *, reason: str) -> None:
    """Skip the module that calls it if a package is not installed; nothing is imported, for every worker collects every module."""
    if find_spec(package) is None:
        pytest.skip(reason, allow_module_level=True)
