"""Going on with a cycle: a session that asks for less than the run that it takes up is refused."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from acceptance import objective, policy
from acceptance.failure import HarnessError
from acceptance.record import workspace as workspaces
from acceptance.record.record import from_events
from acceptance.session import resuming
from acceptance.steps import FULL_CYCLE, PRODUCTION_PHASE, STEPS
from tests.acceptance import records
from trainer.files import strict_json


def test_a_run_with_a_production_is_not_taken_up_without_one(tmp_path, monkeypatch) -> None:
    settings, rules = objective.load("auntie_dottie", environ={}), policy.load()
    asked = {"full_cycle": True, "production": "prompts.txt", "policy": {"sha256": rules.sha256}}
    known = {"settings": strict_json.loads(strict_json.canonical(asdict(settings)).encode())}
    passed = [
        {"event": "step_finished", "step": step.id, "outcome": "passed", "seconds": 0.1, "failure": None}
        for step in STEPS
    ]
    record = from_events([records.session_started() | asked | known, *passed])
    monkeypatch.setattr(workspaces, "find_run", lambda *_: tmp_path / "run")
    monkeypatch.setattr(workspaces, "load_run", lambda _: record)
    with pytest.raises(HarnessError, match=r"asked for with --production.* add --production"):
        resuming.find(tmp_path, "", settings, rules, {}, FULL_CYCLE)
    assert resuming.find(tmp_path, "", settings, rules, {}, FULL_CYCLE | {PRODUCTION_PHASE}).steps
