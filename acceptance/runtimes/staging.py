"""Where outputs lie while they are copied back from an engine: in the folder of their run, until all of them are whole."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from acceptance.failure import not_written

_PREFIX = "returning-"


@contextlib.contextmanager
def staging(run: Path) -> Iterator[Path]:
    """A new folder, removed at the end; raises EnvironmentBlocked(workspace_unwritable)."""
    try:
        made = tempfile.TemporaryDirectory(prefix=_PREFIX, dir=run)
    except OSError as error:
        raise not_written("what the job wrote cannot be kept", error, cause="workspace_unwritable") from error
    with made as name:
        yield Path(name)


def remove_leftovers(run: Path) -> None:
    """Remove what a killed session left half-copied in the folder of its run; what cannot be removed stays."""
    for folder in run.glob(f"{_PREFIX}*"):
        if folder.is_dir() and not folder.is_symlink():
            shutil.rmtree(folder, ignore_errors=True)
