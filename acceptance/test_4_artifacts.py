"""Phase 4: the artifacts. Manifest, status and checkpoint are valid, of this run, and the voice has learned."""

from __future__ import annotations

from typing import Any

import pytest

from acceptance.evidence import learning_proof, measurement, recording, train_status
from acceptance.evidence.artifacts import Artifacts
from acceptance.evidence.child import Examiner
from acceptance.evidence.job import EndedJob
from acceptance.evidence.launch import Launch
from acceptance.evidence.protected_paths import changed, names
from acceptance.failure import DataBlocked, TrainFailed
from acceptance.objective import PROJECT_ROOT
from acceptance.session.run_session import RunSession

pytestmark = pytest.mark.order(4)
"""A job may have changed thousands of files; so many are named."""


def test_manifest_valid(manifest: dict[str, Any]) -> None:
    """The dataset manifest follows its schema and each of its clips is there with its digest."""
    assert manifest["entries"] > 0


def test_status_completed(run: RunSession, artifacts: Artifacts, status: dict[str, Any]) -> None:
    """The train status is strict JSON, complete, finite, and says completed; what the job warns of enters the report."""
    assert artifacts.completed(status).step > 0
    for warning in train_status.warnings(status):
        run.recorder.warn(f"the job warns: {warning}")


def test_checkpoint_valid(checkpoint: dict[str, Any]) -> None:
    """The checkpoint is whole, plain, loadable without executing anything in it."""
    assert checkpoint["bytes"] > 0


def test_bound_to_this_run(
    run: RunSession, artifacts: Artifacts, manifest: dict[str, Any], status: dict[str, Any], checkpoint: dict[str, Any]
) -> None:
    """All of them were written by this run, from this recording, and name each other's digests."""
    now = recording.find(run.workspace, artifacts.settings.audio)
    if now.sha256 != artifacts.recording.sha256:
        raise DataBlocked(
            "the recording changed during the run",
            cause="audio_changed_during_run",
            before=artifacts.recording.sha256,
            after=now.sha256,
        )
    artifacts.check_bound(manifest, artifacts.completed(status), checkpoint)


def test_learned(run: RunSession, artifacts: Artifacts, status: dict[str, Any], examiner: Examiner) -> None:
    """On held-out speech the voice beats its untrained start, and more than it does on a wrong voice; the host measures it again."""
    claimed, thresholds, recorder = artifacts.completed(status).learning, run.policy.learning, run.recorder
    learning_proof.check(claimed, thresholds)
    if artifacts.settings.remeasure:
        measured = measurement.losses(examiner)
        recorder.fact("remeasured", measured)
        learning_proof.check_claims(claimed, measured, thresholds)
        learning_proof.check_parts(measured, thresholds)
        learning_proof.check_evidence(measured, thresholds)
    else:
        learning_proof.check_parts(claimed.model_dump(), thresholds)
        learning_proof.check_evidence(claimed.model_dump(), thresholds)
        recorder.warn(
            "the losses are the job's own claim: the objective switches the measurement on the host off (remeasure = false)"
        )


def test_protected_paths_unchanged(run: RunSession, launch: Launch, training: EndedJob) -> None:
    """The run left the harness, the trainer and the repository's configuration as they were."""
    found = changed(launch.protected, run.workspace, PROJECT_ROOT, paths=run.settings.protected)
    if found:
        raise TrainFailed(f"the run changed {names(found)}", cause="protected_path_changed")
