"""A blocking guardrail that failed takes the certificate away, so the evaluation of the cycle is blocked by it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from acceptance.record.record import from_events
from acceptance.session.hooks import RunHooks
from acceptance.steps import EVALUATION, GUARDRAILS, STEPS
from acceptance.verdict import Outcome, StepResult
from tests.acceptance import records
from tests.acceptance.session.test_selection import item


def test_the_evaluation_is_blocked_by_the_guardrail() -> None:
    guardrail = GUARDRAILS[0].id
    passed = [
        {"event": "step_finished", "step": step.id, "outcome": "passed", "seconds": 0.1, "failure": None}
        for step in STEPS
    ]
    start = records.session_started() | {"full_cycle": True, "blocking_guardrails": [guardrail]}
    record = from_events([start, records.failed(guardrail, "guardrail_failed", "a file is stale"), *passed])
    told: list[StepResult] = []
    run = SimpleNamespace(record=record, begin=lambda _: None, finish=told.append)
    hooks = RunHooks(run, SimpleNamespace(check=lambda: None), None)
    with pytest.raises(pytest.skip.Exception, match="blocked by"):
        hooks.pytest_runtest_setup(item(EVALUATION[0].id))
    assert [(one.outcome, one.blocked_by) for one in told] == [(Outcome.BLOCKED, guardrail)]
