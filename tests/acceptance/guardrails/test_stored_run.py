"""Earlier runs are looked at only while nobody else works on them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from acceptance.guardrails import NotApplicable, StoredRuns
from acceptance.record import workspace
from tests.acceptance.records import IDS, session_started

GOOD, WORKING = "20260102T030405Z-00000a", "20260102T030406Z-00000b"


def write_run(root: Path, run_id: str, steps: list[str]) -> None:
    events = [
        session_started(run_id),
        *({"event": "step_finished", "step": step, "outcome": "passed"} for step in steps),
    ]
    (workspace.make_run_dir(root, run_id) / workspace.JOURNAL).write_text(
        "".join(json.dumps(event) + "\n" for event in events)
    )


def test_what_another_session_is_changing_is_not_judged(tmp_path: Path) -> None:
    write_run(tmp_path, GOOD, IDS)
    assert StoredRuns(tmp_path).newest_success().id == GOOD
    write_run(tmp_path, WORKING, [])
    held = workspace.lock(tmp_path)
    try:
        with pytest.raises(NotApplicable, match=f"another session works .*{WORKING}"):
            StoredRuns(tmp_path).newest_success()
        assert StoredRuns(tmp_path, current=WORKING).newest_success().id == GOOD
    finally:
        held.release()
    assert StoredRuns(tmp_path).newest_success().id == GOOD
