"""Whether a scored version may take the place of the one in use: its marks, the comparison, and what the speaker allows."""

from __future__ import annotations

import datetime
import time
from dataclasses import dataclass
from pathlib import Path

from acceptance.failure import HarnessError
from acceptance.policy import Policy
from acceptance.scorecards import comparison, objections, runs, scorecard
from acceptance.scorecards.comparison import Comparison, Recommendation
from acceptance.scorecards.runs import Run, Runs
from acceptance.scorecards.scorecard import Scorecard
from acceptance.voices import consent, registry, store
from acceptance.voices.consent import Consent
from acceptance.voices.registry import PromotedVoice
from trainer.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to do with a version, and why; `record` is what the registry would keep."""

    recommendation: Recommendation
    reasons: tuple[str, ...]
    comparison: Comparison | None
    record: PromotedVoice
    consent_problems: tuple[str, ...]
    """Of the reasons, those of the speaker's consent."""
    in_use: bool
    """It is in use already: there is nothing to do."""


def decide(
    workspace: Path, name: str, run: Run, history: Runs, policy: Policy, *, given: Path | None, today: datetime.date
) -> Decision:
    """Decide; `given` is a consent record that was named.

    Raises HarnessError: version_unknown or artifact_mismatch where the checkpoint is not kept whole, and as `in_use` and `compared`.
    """
    if run.checkpoint_sha256 is None:
        raise HarnessError(
            f"{run.run_id} does not say which checkpoint spoke; evaluate again with --checkpoint",
            cause="checkpoint_missing",
        )
    version = store.sound(store.find(workspace, run.checkpoint_sha256))
    standing = in_use(workspace, name)
    allowed, held = _consent(workspace, name, str(version.report["recording"].get("path") or ""), given, today)
    found = compared(run, standing, history, policy)
    said = found.reasons if found else objections.refusals(_card(run, policy), run, policy)
    reasons = (*said, *held)
    recommendation = Recommendation.PROMOTE if found is None else found.recommendation
    if recommendation is Recommendation.PROMOTE and (held or (found is None and said)):
        recommendation = Recommendation.HOLD
    record = PromotedVoice(
        checkpoint_sha256=run.checkpoint_sha256, run_id=run.run_id, promoted=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        score=round(run.score, 6), grade=run.grade, evaluation_sha256=run.evaluation_sha256, policy_sha256=run.policy_sha256,
        manifest_sha256=run.manifest_sha256, pins=dict(run.pins), consent=_said(allowed), before=standing.checkpoint_sha256 if standing else None,
        reasons=reasons,
    )  # fmt: skip
    same = standing is not None and standing.checkpoint_sha256 == run.checkpoint_sha256
    return Decision(
        recommendation=recommendation,
        reasons=reasons,
        comparison=found,
        record=record,
        consent_problems=held,
        in_use=same,
    )


def in_use(workspace: Path, name: str) -> PromotedVoice | None:
    """The version in use, if there is one; raises HarnessError: registry_invalid, promoted_voice_lost where its checkpoint is not kept whole."""
    standing = registry.current(workspace, name)
    if standing is not None:
        try:
            store.sound(store.find(workspace, standing.checkpoint_sha256))
        except HarnessError as error:
            raise HarnessError(f"the version in use: {error}", cause="promoted_voice_lost") from error
    return standing


def compared(run: Run, standing: PromotedVoice | None, history: Runs, policy: Policy) -> Comparison | None:
    """The comparison with the version in use; None where there is no other one.

    Raises HarnessError: pins_differ where it was measured by other instruments, run_unknown where its scorecard is lost.
    """
    if standing is None or standing.checkpoint_sha256 == run.checkpoint_sha256:
        return None
    try:
        return comparison.compare(_scored(standing, history), run, policy)
    except (HarnessError, DataError) as error:
        if error.cause != "pins_differ":
            raise
        raise HarnessError(
            f"{standing.run_id}, the version in use, was measured by other instruments ({error}); speak and evaluate it again: "
            f"voice say --lines --checkpoint {standing.checkpoint_sha256[: store.SHOWN]}",
            cause=error.cause,
        ) from error


def _scored(standing: PromotedVoice, history: Runs) -> Run:
    """The newest record of the version in use: of its run id and its checkpoint; raises HarnessError(run_unknown)."""
    for run in reversed(history.runs):
        if (run.run_id, run.checkpoint_sha256) == (standing.run_id, standing.checkpoint_sha256):
            return run
    raise HarnessError(
        f"{history.path} has no scorecard of {standing.run_id} with the checkpoint in use, "
        f"{standing.checkpoint_sha256[: store.SHOWN]}; restore that file, for example from git, "
        "or score the evaluation of that checkpoint again: voice scorecard evaluation.json --checkpoint FILE",
        cause="run_unknown",
    )


def _card(run: Run, policy: Policy) -> Scorecard:
    return scorecard.score(run.rows, run.similarity_metric, policy)


def _consent(
    workspace: Path, name: str, recording: str, given: Path | None, today: datetime.date
) -> tuple[Consent | None, tuple[str, ...]]:
    """The speaker's record and, where it does not allow a promotion, the reason to hold."""
    try:
        found = consent.find(given, consent_places(workspace, name, recording))
    except HarnessError as error:
        return None, (str(error),)
    problem = found.problem("promote", today)
    return found, (f"{found.path}: {problem}",) if problem else ()


def consent_places(workspace: Path, name: str, recording: str) -> tuple[Path, ...]:
    """Where the record of a voice's speaker is looked for, the first one first."""
    return (registry.folder(workspace, name), (workspace / recording).parent, workspace)


def require_consent(workspace: Path, name: str, recording: str, given: Path | None) -> None:
    """Raises HarnessError(consent_missing | consent_invalid | consent_refused) where the speaker allows no promotion today."""
    found = consent.find(given, consent_places(workspace, name, recording))
    consent.require(found, "promote", consent.today())


def _said(found: Consent | None) -> dict[str, str]:
    if found is None:
        return {}
    said = {name: value for name, value in found.document().items() if value and name != "file"}
    return {name: ", ".join(value) if isinstance(value, list) else str(value) for name, value in said.items()}


def scored_runs(workspace: Path) -> Runs:
    """The scored runs of a workspace."""
    return runs.load(workspace / runs.HISTORY)
