"""Which run an evaluation belongs to: its id, its checkpoint and its dataset, each checked against the file where one is given."""

from __future__ import annotations

import contextlib
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from acceptance import workspace as workspaces
from acceptance.record import RunRecord
from trainer import plain_file
from trainer.errors import DataError
from trainer.plain_file import PlainFileError
from trainer.scores.evaluation import Evaluation

_RUN_ID = re.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a scorecard says it is of. `manifest_path` is relative to the workspace where it lies there."""

    run_id: str
    checkpoint_sha256: str | None
    manifest_path: str | None
    manifest_sha256: str | None


def find(
    evaluation: Evaluation,
    evaluation_sha256: str,
    *,
    workspace: Path,
    run_id: str | None = None,
    checkpoint: Path | None = None,
    manifest: Path | None = None,
) -> Origin:
    """The origin of an evaluation.

    Without `run_id` it is the oldest acceptance run of the workspace that made this checkpoint, else `eval-` and a hash over checkpoint and
    evaluation. Raises DataError(artifact_mismatch | settings_invalid | artifact_missing).
    """
    checkpoint_sha256 = _confirmed(checkpoint, evaluation.checkpoint_sha256, "checkpoint")
    manifest_sha256 = _confirmed(manifest, evaluation.manifest_sha256, "manifest")
    manifest_path = _inside(manifest, workspace) if manifest else evaluation.manifest_path
    accepted = _maker(workspace, checkpoint_sha256)
    if accepted:
        run_id = run_id or accepted.run_id
        if manifest_sha256 is None:
            manifest_sha256 = (accepted.facts.get("manifest") or {}).get("sha256")
            manifest_path = accepted.session.get("settings", {}).get("manifest") if manifest_sha256 else None
    if run_id is not None and not _RUN_ID.fullmatch(run_id):
        raise DataError(
            f"{run_id[:80]!r} is no run id; use up to 100 letters, digits, dots, dashes and underscores", cause="settings_invalid"
        )
    return Origin(
        run_id=run_id or _derived(checkpoint_sha256, evaluation_sha256),
        checkpoint_sha256=checkpoint_sha256,
        manifest_path=manifest_path,
        manifest_sha256=manifest_sha256,
    )


def _confirmed(path: Path | None, claimed: str | None, what: str) -> str | None:
    """The file's sha256, which must be the claimed one if there is a claim; without a file the claim."""
    if path is None:
        return claimed
    try:
        found = plain_file.sha256(path)
    except PlainFileError as error:
        raise DataError(f"{path} {error}; give the {what} that was evaluated", cause="artifact_missing") from error
    if claimed not in (None, found):
        raise DataError(
            f"{path} is not the {what} of the evaluation (sha256 {found[:12]}, not {claimed[:12]}); give that file, or evaluate this one",
            cause="artifact_mismatch",
        )
    return found


def _maker(workspace: Path, checkpoint_sha256: str | None) -> RunRecord | None:
    """The record of the oldest acceptance run with this checkpoint: a later one that gave the same bytes changes no name."""
    for directory in workspaces.run_dirs(workspace) if checkpoint_sha256 else ():
        with contextlib.suppress(OSError, ValueError):  # a journal that cannot be read says nothing of a checkpoint
            record = workspaces.load_run(directory)
            if (record.facts.get("checkpoint") or {}).get("sha256") == checkpoint_sha256:
                return record
    return None


def _inside(path: Path, workspace: Path) -> str:
    whole, root = path.resolve(), workspace.resolve()
    return whole.relative_to(root).as_posix() if whole.is_relative_to(root) else path.name


def _derived(checkpoint_sha256: str | None, evaluation_sha256: str) -> str:
    return "eval-" + hashlib.sha256(f"{checkpoint_sha256 or ''}\n{evaluation_sha256}".encode()).hexdigest()[:12]
