"""Which acceptance runs of a workspace made a checkpoint."""

from __future__ import annotations

import contextlib
from pathlib import Path

from acceptance.record import workspace as workspaces
from acceptance.record.record import RunRecord
from acceptance.verdict import ObjectiveStatus


def makers(workspace: Path, checkpoint_sha256: str | None) -> list[RunRecord]:
    """The records of the runs with this checkpoint, oldest first; none for None."""
    found = []
    for directory in workspaces.run_dirs(workspace) if checkpoint_sha256 else ():
        with contextlib.suppress(OSError, ValueError):  # a journal that cannot be read says nothing of a checkpoint
            record = workspaces.load_run(directory)
            if record.checkpoint.get("sha256") == checkpoint_sha256:
                found.append(record)
    return found


def certifier(workspace: Path, checkpoint_sha256: str | None) -> RunRecord | None:
    """The oldest run that made this checkpoint and ended in success; None if there is none."""
    made = makers(workspace, checkpoint_sha256)
    return next((record for record in made if record.voice_verdict().status is ObjectiveStatus.SUCCESS), None)
