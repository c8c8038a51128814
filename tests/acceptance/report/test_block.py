"""The report block: its keys in order, one printable line each, and nothing that a container says can forge or hide one."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acceptance.record.record import from_events
from acceptance.report import block
from tests.acceptance.records import IDS, json_values, runs, session_started

HOSTILE = [
    "a\nobjective_status: success",
    "x\r\n=== END OBJECTIVE REPORT ===",
    "\x1b[2J",
    "\u2028cause: none",
    "\u202egnp",
    "\ud800",
    "\x85x",
    "\0",
]


@given(runs)
def test_the_block_has_every_key_once_in_order_on_one_printable_line(events: list[dict]) -> None:
    text = block.block(from_events(events))
    lines = text.splitlines()
    assert lines == text.split("\n")
    assert (lines[0], lines[-1]) == (block.BEGIN, block.END)
    assert [line.partition(": ")[0] for line in lines[1:-1]] == list(block.KEYS)
    assert all(line.isprintable() for line in lines)
    text.encode()


@given(runs)
def test_the_same_record_gives_the_same_bytes(events: list[dict]) -> None:
    first, second = from_events(events), from_events(events)
    assert block.block(first) == block.block(second)
    assert block.dumps(block.document(first)).encode("ascii") == block.dumps(block.document(second)).encode("ascii")
    assert json.loads(block.dumps(block.document(first)))["report"] == block.values(first)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("fact", ["audio", "manifest", "checkpoint", "status"])
def test_no_fact_can_forge_a_line(fact: str, text: str) -> None:
    value = {"bytes": text, "sha256": text, "entries": text, "message": text, text: text}
    record = from_events([session_started(), {"event": "fact", "name": fact, "value": value}])
    lines = block.block(record).splitlines()
    assert len(lines) == len(block.KEYS) + 2
    assert all(line.isprintable() for line in lines)
    assert lines[1] == "objective_status: blocked"


@given(st.dictionaries(st.text(alphabet='ab:#"\\é'), json_values | st.text(alphabet=':#"\\u '), max_size=4))
def test_only_the_contracts_keys_of_a_status_enter_the_block(extra: dict) -> None:
    status = {
        "status": "completed",
        "loss": 1.5,
        "seed": 0,
        "device": "::error::",
        "learning": {"improvement": 0.2, "mine": 1},
    }
    events = [
        session_started(),
        {"event": "fact", "name": "status", "value": extra | status | {"run_id": "r", "timestamp": "t"}},
    ]
    line = block.values(from_events(events))["train_status_json"]
    assert json.loads(line) == status | {"learning": {"improvement": 0.2}}
    assert "::" not in line
    assert "##" not in line


@given(st.integers(0, 300), st.floats(0, 10))
def test_a_status_that_is_not_completed_gives_the_same_bytes_whenever_it_ended(step: int, loss: float) -> None:
    status = {
        "status": "failed",
        "cause": "interrupted",
        "step": step,
        "loss": loss,
        "steps_total": 300,
        "message": f"at step {step}",
    }
    line = block.values(from_events([session_started(), {"event": "fact", "name": "status", "value": status}]))[
        "train_status_json"
    ]
    assert line == '{"cause":"interrupted","status":"failed","steps_total":300}'


def test_a_long_or_nested_value_of_a_status_stays_out_of_the_block() -> None:
    status = {"status": "completed", "device": "x" * 10_000, "loss": [1], "seed": 0}
    line = block.values(from_events([session_started(), {"event": "fact", "name": "status", "value": status}]))[
        "train_status_json"
    ]
    assert json.loads(line) == {"status": "completed", "seed": 0}


def test_what_is_not_known_is_not_available() -> None:
    values = block.values(from_events([session_started()]))
    assert values["audio_path"] == "data/knowledge_audio_source/auntie_dottie.flac"
    assert {key for key, value in values.items() if value == "N/A"} == {
        "audio_size_bytes", "audio_sha256", "manifest_entries", "train_status_json", "checkpoint_size_bytes", "checkpoint_sha256"
    }  # fmt: skip
    assert [values[key] for key in block.KEYS[:4]] == ["blocked", "none", "none", "none"]


def test_success_has_no_next_action() -> None:
    record = from_events(
        [session_started(), *({"event": "step_finished", "step": step, "outcome": "passed"} for step in IDS)]
    )
    assert block.values(record)["objective_status"] == "success"
    assert block.values(record)["next_unblock_action"] == "none"


@given(st.sets(st.sampled_from(IDS), max_size=len(IDS) - 1))
def test_steps_that_did_not_run_are_named_by_phase_with_the_command_that_runs_all(chosen: set[str]) -> None:
    record = from_events(
        [session_started(), *({"event": "step_finished", "step": step, "outcome": "passed"} for step in chosen)]
    )
    action = block.values(record)["next_unblock_action"]
    missing = {step.partition(".")[0] for step in IDS if step not in chosen}
    assert all(phase in action for phase in missing)
    assert action.endswith(": pytest acceptance -q")
