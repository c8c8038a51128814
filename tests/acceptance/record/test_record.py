"""A record read back from the journal is the one that the session had; an unfinished one is interrupted where it stood."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acceptance.record import workspace
from acceptance.record.journal import Journal, read
from acceptance.record.record import Recorder, RunRecord, from_events
from acceptance.report import block, summary
from acceptance.steps import STEPS
from tests.acceptance.records import IDS, json_values, runs, session_started

KINDS = ["session_started", "step_started", "step_finished", "fact", "warning", "error", "session_finished"]
FIELDS = (
    "run_id",
    "selected",
    "step",
    "outcome",
    "failure",
    "seconds",
    "name",
    "value",
    "message",
    "exit_status",
    "settings",
    "session",
)


@settings(max_examples=60)
@given(runs)
def test_the_journal_gives_the_record_and_the_reports_of_the_session(events: list[dict]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        recorder = Recorder(Journal(Path(directory) / "events.jsonl"))
        for event in events:
            recorder.emit(event)
        recorder.journal.close()
        rebuilt = from_events(read(recorder.journal.path))
    assert rebuilt == recorder.record
    assert block.block(rebuilt) == block.block(recorder.record)
    assert block.dumps(block.document(rebuilt)) == block.dumps(block.document(recorder.record))


@given(runs)
def test_an_unfinished_run_is_interrupted_at_the_step_that_ran_or_comes_next(events: list[dict]) -> None:
    record = from_events(events)
    expected, had_failure = record.undecided(), record.verdict().failure is not None
    record.completed()
    if expected is None:
        return
    assert record.results[-1].step == expected
    assert record.results[-1].failure.cause == "interrupted"
    if not had_failure:
        assert record.verdict().first_failed_step == expected


@given(runs)
def test_a_finished_run_is_left_as_it_is(events: list[dict]) -> None:
    events = [*events, {"event": "session_finished", "exit_status": 1}]
    assert from_events(events).completed() == from_events(events)


def test_events_that_this_harness_does_not_know_are_passed_over() -> None:
    unknown = [{"event": "from_the_future", "x": 1}, {"event": "step_started", "step": "phase_7_x.y"}, {}]
    assert from_events([session_started(), *unknown]) == from_events([session_started()])


@given(
    st.dictionaries(
        st.text(max_size=5), st.one_of(json_values, st.floats(), st.lists(st.floats(), max_size=3)), max_size=4
    )
)
def test_numbers_that_json_does_not_know_are_recorded_as_text(value: dict) -> None:
    with tempfile.TemporaryDirectory() as directory:
        recorder = Recorder(Journal(Path(directory) / "events.jsonl"))
        recorder.fact("measured", value)
        stored = next(iter(read(recorder.journal.path)))["value"]
    assert stored == recorder.record.facts["measured"]
    for key, item in value.items():
        if isinstance(item, float):
            assert stored[key] == (item if math.isfinite(item) else str(item))


def test_a_journal_with_foreign_events_is_an_error_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text('{"event": "step_finished"}\n')
    with pytest.raises(ValueError, match=r"events\.jsonl: an event is not one of this harness"):
        workspace.load_run(tmp_path)


def test_the_step_after_the_last_decided_one_is_undecided() -> None:
    events = [session_started(), *({"event": "step_finished", "step": step, "outcome": "passed"} for step in IDS[:3])]
    assert from_events(events).undecided() == IDS[3]
    assert from_events([*events, {"event": "step_started", "step": IDS[7]}]).undecided() == IDS[7]


@pytest.mark.parametrize("event", [
    {"event": "session_started", "run_id": 1}, {"event": "session_started"}, {"event": "session_started", "run_id": "a", "settings": []},
    {"event": "step_started", "step": []}, {"event": "step_finished", "step": STEPS[0].id, "outcome": 3},
    {"event": "step_finished", "step": STEPS[0].id, "outcome": "failed",
     "failure": {"class": "none", "cause": "nonsense", "message": "", "evidence": {}}},
    {"event": "step_finished", "step": STEPS[0].id, "outcome": "passed", "seconds": []}, {"event": "fact", "name": {}, "value": 1},
    {"event": "fact", "name": "audio", "value": 5}, {"event": "fact", "name": "runtime", "value": "docker"}, {"event": "warning", "message": {}},
    {"event": "session_finished", "exit_status": None}, {"event": "session_finished", "exit_status": float("inf")},
])  # fmt: skip
def test_an_event_with_odd_fields_is_refused_and_changes_nothing(event: dict[str, object]) -> None:
    record = RunRecord()
    with pytest.raises(ValueError, match=r"not one of this harness|cause|outcome"):
        record.apply(event)
    assert record == RunRecord()


@given(
    st.lists(
        st.fixed_dictionaries({"event": st.sampled_from(KINDS)}, optional=dict.fromkeys(FIELDS, json_values)),
        max_size=4,
    )
)
def test_whatever_a_journal_holds_the_report_comes_or_the_journal_is_refused(events: list[dict[str, object]]) -> None:
    try:
        record = from_events(events)
    except ValueError:
        return
    assert block.block(record.completed())
    assert block.dumps(block.document(record))
    assert summary.render(record, Path("run"))
