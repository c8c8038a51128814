"""Which run an evaluation belongs to: its id, its checkpoint and its dataset, each checked against the file where one is given."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from acceptance.failure import HarnessError
from acceptance.record.makers import makers
from acceptance.record.record import RunRecord
from acceptance.verdict import ObjectiveStatus
from trainer.dataset import manifest as manifests
from trainer.evaluation import checkpoints
from trainer.evaluation.checkpoints import Licence
from trainer.evaluation.evaluation import CLAIMED, Evaluation
from trainer.files import plain_file
from trainer.files.plain_file import PlainFileError

SUCCESS, BLOCKED, UNKNOWN = str(ObjectiveStatus.SUCCESS), str(ObjectiveStatus.BLOCKED), "unknown"
"""How the acceptance run that made a checkpoint ended; unknown where no run of the workspace did."""
_RUN_ID = re.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """The verdict on the making of a checkpoint. Where several runs made the same bytes, a success among them counts."""

    status: str
    run_id: str | None = None
    first_failed_step: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a scorecard says it is of. `manifest_path` is relative to the workspace where it lies there."""

    run_id: str
    checkpoint_sha256: str | None
    manifest_path: str | None
    manifest_sha256: str | None
    acceptance: Acceptance
    checkpoint_read: bool
    """Whether the checkpoint itself was at hand and says that it was trained on this dataset."""
    licence: Licence | None
    """That the checkpoint is under; None for the project's own, or where nothing says it."""
    checkpoint_origin: str | None = None
    """As in the evaluation; `claimed` where only the command line names the checkpoint."""


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

    Without `run_id` it is the oldest acceptance run of the workspace that made this checkpoint, of those
    that succeeded where there is one, else `eval-` and a hash over checkpoint and
    evaluation. Raises HarnessError: artifact_missing, artifact_mismatch where two of evaluation, files and run contradict each other,
    checkpoint_invalid, checkpoint_unsafe, manifest_invalid, settings_invalid.
    """
    # What is named by hand may be a link to the file that is meant.
    checkpoint, manifest = (path and path.resolve() for path in (checkpoint, manifest))
    checkpoint_sha256 = _confirmed(checkpoint, evaluation.checkpoint_sha256, "checkpoint")
    manifest_sha256 = _confirmed(manifest, evaluation.manifest_sha256, "manifest")
    if manifest:
        manifests.load(manifest)
    manifest_path = _inside(manifest, workspace) if manifest else evaluation.manifest_path
    inside = checkpoints.read(checkpoint) if checkpoint else None
    if checkpoint and inside:
        checkpoints.check_trained_on(checkpoint, inside, manifest_sha256)
        manifest_sha256 = manifest_sha256 or inside.manifest_sha256
    made = makers(workspace, checkpoint_sha256)  # the oldest first: a later one with the same bytes changes no name
    accepted = next(
        (run for run in made if run.voice_verdict().status is ObjectiveStatus.SUCCESS), made[0] if made else None
    )
    if accepted:
        manifest_path, manifest_sha256 = _trained_on(accepted, manifest_path, manifest_sha256)
    if run_id is None:
        run_id = accepted.run_id if accepted else _derived(checkpoint_sha256, evaluation_sha256)
    return Origin(
        run_id=_checked(run_id),
        checkpoint_sha256=checkpoint_sha256,
        manifest_path=manifest_path,
        manifest_sha256=manifest_sha256,
        acceptance=_verdict(accepted),
        checkpoint_read=bool(inside and inside.manifest_sha256),
        licence=inside.licence if inside else _licence(accepted),
        checkpoint_origin=evaluation.checkpoint_origin or (CLAIMED if checkpoint_sha256 else None),
    )


def _confirmed(path: Path | None, claimed: str | None, what: str) -> str | None:
    """The file's sha256, which must be the claimed one if there is a claim; without a file the claim."""
    if path is None:
        return claimed
    try:
        found = plain_file.sha256(path)
    except PlainFileError as error:
        raise HarnessError(f"{path} {error}; give the {what} that was evaluated", cause="artifact_missing") from error
    if claimed not in (None, found):
        raise HarnessError(
            f"{path} is not the {what} of the evaluation (sha256 {found[:12]}, not {claimed[:12]}); give that file, or evaluate this one",
            cause="artifact_mismatch",
        )
    return found


def _verdict(accepted: RunRecord | None) -> Acceptance:
    if accepted is None:
        return Acceptance(status=UNKNOWN)
    verdict = accepted.voice_verdict()
    return Acceptance(status=str(verdict.status), run_id=accepted.run_id, first_failed_step=verdict.first_failed_step)


def _licence(accepted: RunRecord | None) -> Licence | None:
    """As the training's status has it."""
    return checkpoints.licence((accepted.facts.get("status") if accepted else None) or {})


def _trained_on(accepted: RunRecord, path: str | None, claimed: str | None) -> tuple[str | None, str | None]:
    """Path and sha256 of the run's dataset, where it recorded one, else what was claimed; raises HarnessError(artifact_mismatch)."""
    trained_on = accepted.manifest.get("sha256")
    if trained_on and claimed not in (None, trained_on):
        raise HarnessError(
            f"run {accepted.run_id} trained the checkpoint on another dataset than was said (sha256 {trained_on[:12]}, not {claimed[:12]}); "
            "give the manifest that it was trained on, to voice evaluate too",
            cause="artifact_mismatch",
        )
    if trained_on and not path:
        path = accepted.session.get("settings", {}).get("manifest")
    return path, trained_on or claimed


def _checked(run_id: str) -> str:
    if not _RUN_ID.fullmatch(run_id):
        raise HarnessError(
            f"{run_id[:80]!r} is no run id; use up to 100 letters, digits, dots, dashes and underscores",
            cause="settings_invalid",
        )
    return run_id


def _inside(path: Path, workspace: Path) -> str:
    whole, root = path.resolve(), workspace.resolve()
    return whole.relative_to(root).as_posix() if whole.is_relative_to(root) else path.name


def _derived(checkpoint_sha256: str | None, evaluation_sha256: str) -> str:
    return "eval-" + hashlib.sha256(f"{checkpoint_sha256 or ''}\n{evaluation_sha256}".encode()).hexdigest()[:12]
