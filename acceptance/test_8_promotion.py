"""Phase 8, only with --full-cycle: the voice comes into use if it is better and its speaker allows it; else it is held, with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from acceptance.causes import FailureClass
from acceptance.failure import EnvironmentBlocked
from acceptance.session.run_session import RunSession
from acceptance.session.step_failures import as_step_failures

if TYPE_CHECKING:
    from acceptance.voices.promoting import Decision

pytestmark = pytest.mark.order(8)


def test_decided(decision: Decision) -> None:
    """There is an answer with its reasons: the voice comes into use, or it is held."""
    assert decision.recommendation.value == "promote" or decision.reasons, "who holds a voice says why"


def test_registry_consistent(run: RunSession, decision: Decision) -> None:
    """The registry names the version that was decided, kept whole; a voice that is held has changed nothing."""
    from acceptance.voices import promoting

    with as_step_failures(FailureClass.ENVIRONMENT_BLOCKED, unknown="promotion_failed"):
        standing = promoting.in_use(run.workspace, run.settings.name)
    found, promotion = standing and standing.checkpoint_sha256, run.record.facts["promotion"]
    wanted = promotion["candidate"] if promotion["recommendation"] == "promote" else promotion["before"]
    if found != wanted:
        raise EnvironmentBlocked(
            "the version in use is another one than was decided", cause="registry_invalid", found=found, wanted=wanted
        )
    run.recorder.fact("promotion", {**promotion, "in_use": found})
