"""Phase 6, only with --full-cycle: the certified voice is evaluated, scored, and compared with the version in use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from acceptance.causes import FailureClass
from acceptance.session.cycle_fixtures import comparison_fact
from acceptance.session.run_session import RunSession
from acceptance.session.step_failures import as_step_failures

if TYPE_CHECKING:
    from acceptance.scorecards.recording import RecordedScore

pytestmark = pytest.mark.order(6)


def test_voice_evaluated(evaluation: Path) -> None:
    """The voice, kept under its hash, has spoken every sentence, and each clip has its marks."""
    assert evaluation.is_file()


def test_scorecard_recorded(run: RunSession, scored: RecordedScore) -> None:
    """Its scorecard is in the history of the workspace, and it is of this run's checkpoint."""
    assert scored.run.checkpoint_sha256 == run.record.checkpoint["sha256"]


def test_compared_with_promoted(run: RunSession, scored: RecordedScore) -> None:
    """The version in use is whole and was measured by the same instruments; where there is none, there is nothing to compare."""
    from acceptance.voices import promoting

    with as_step_failures(FailureClass.ENVIRONMENT_BLOCKED, unknown="promotion_failed"):
        standing = promoting.in_use(run.workspace, run.settings.name)
        found = promoting.compared(scored.run, standing, promoting.scored_runs(run.workspace), run.policy)
    run.recorder.fact("comparison", comparison_fact(None if standing is None else standing.checkpoint_sha256, found))
