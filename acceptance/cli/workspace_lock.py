"""Commands that change the voices of a workspace work on it alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from acceptance.failure import HarnessError
from acceptance.record import workspace as workspaces
from acceptance.voices import store


@contextmanager
def locked(workspace: Path) -> Iterator[None]:
    """Nobody else works on the workspace meanwhile; raises HarnessError(workspace_busy), HarnessError(version_unknown) for an empty place."""
    if not (workspace / store.VOICES).parent.is_dir():
        raise HarnessError(
            f"{workspace}: no run ever worked here; name the workspace: --workspace DIR", cause="version_unknown"
        )
    try:
        held = workspaces.lock(workspace)
    except workspaces.WorkspaceBusy as error:
        raise HarnessError(str(error), cause="workspace_busy") from error
    try:
        yield
    finally:
        held.release()
