"""How voices were made: acceptance runs of a workspace, and checkpoints, as small as they can be."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch

from acceptance.record import workspace as workspaces
from acceptance.record.journal import Journal
from tests.acceptance.records import IDS, failed, session_started
from trainer.files import checkpoint

RUN_ID = "20260102T030405Z-1a2b3c"
LEARNED = "phase_4_artifacts.learned"


def accepted_run(workspace: Path, checkpoint_sha256: str, dataset_sha256: str, run_id: str = RUN_ID, *, blocked_at: str | None = None,
                 licence: Mapping[str, object] | None = None) -> None:  # fmt: skip
    """A run that made this checkpoint; a success unless a step blocked it."""
    journal = Journal(workspaces.make_run_dir(workspace, run_id) / workspaces.JOURNAL)
    journal.append(session_started(run_id))
    facts = {
        "manifest": {"sha256": dataset_sha256},
        "checkpoint": {"sha256": checkpoint_sha256},
        "status": {"licence": licence},
    }
    for name, value in facts.items():
        journal.append({"event": "fact", "name": name, "value": value})
    for step in IDS:
        done = {"event": "step_finished", "step": step, "outcome": "passed"}
        journal.append(failed(step, "no_learning", "learned nothing") if step == blocked_at else done)
    journal.append({"event": "session_finished", "exit_status": int(blocked_at is not None)})
    journal.close()


def checkpoint_file(path: Path, dataset_sha256: str | None, **parts: object) -> str:
    """A checkpoint that was trained on this dataset; returns its sha256."""
    training = {"manifest_sha256": dataset_sha256} if dataset_sha256 else {}
    return checkpoint.save(
        path, {"format": "a voice", "model": {"weight": torch.zeros(1)}, "training": training, **parts}
    )


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
