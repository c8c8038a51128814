"""The cycle block: what it says of a promotion, of every kind of hold, and of a cycle that failed; nothing in a record breaks it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acceptance.record.record import RunRecord, from_events
from acceptance.report import block, ci_summary, cycle_block, run_page
from acceptance.steps import FULL_CYCLE, STEPS, optional_steps
from tests.acceptance import records

KEYS = (
    *"cycle_status grade score recommendation reason promoted_version previous_version production cost_usd cost_seconds".split(),
    "next_action",
)
SCORED = {
    "run_id": "ten-minutes",
    "in_run": "RUN",
    "score": 81.234,
    "grade": "B",
    "evaluation_sha256": "e" * 64,
    "utterances": 40,
}
HELD = {
    "recommendation": "hold",
    "answer": "hold",
    "reasons": ["grade C is below B"],
    "consent": [],
    "before": None,
    "in_use": None,
}
ALL = [step.id for step in (*STEPS, *optional_steps(FULL_CYCLE))]


def passed(step: str) -> dict[str, Any]:
    return {"event": "step_finished", "step": step, "outcome": "passed", "seconds": 0.1, "failure": None}


def cycle(*events: dict[str, Any], steps: list[str] = ALL, **facts: object) -> RunRecord:
    start = records.session_started() | {"full_cycle": True}
    noted = [{"event": "fact", "name": name, "value": value} for name, value in facts.items()]
    return from_events([start, *map(passed, steps), *noted, *events])


def held(**changes: object) -> dict[str, str]:
    return cycle_block.values(cycle(evaluation=SCORED, promotion=HELD | changes))


def test_its_keys_stand_in_their_order_between_its_marks() -> None:
    lines = cycle_block.block(cycle(evaluation=SCORED, promotion=HELD)).splitlines()
    assert (lines[0], lines[-1]) == (cycle_block.BEGIN, cycle_block.END)
    assert tuple(line.partition(": ")[0] for line in lines[1:-1]) == KEYS


def test_a_run_without_a_cycle_has_none() -> None:
    assert cycle_block.block(from_events([records.session_started(), *map(passed, ALL)])) == ""


def test_a_promotion_names_both_versions_and_asks_for_nothing() -> None:
    promotion = {
        "recommendation": "promote",
        "answer": "promote",
        "reasons": ["better"],
        "before": "a" * 64,
        "in_use": "b" * 64,
    }
    found = cycle_block.values(cycle(evaluation=SCORED, promotion=promotion))
    assert (found["cycle_status"], found["grade"], found["score"]) == ("success", "B", "81.23")
    assert (found["promoted_version"], found["previous_version"]) == ("b" * 64, "a" * 64)
    assert (found["recommendation"], found["reason"], found["next_action"]) == ("promote", "better", "none")


@pytest.mark.parametrize(
    ("changes", "reason", "action"),
    [
        ({}, "grade C is below B", "voice scorecard artifacts/runs/RUN/evaluation/evaluation.json"),
        (
            {"answer": "cannot tell", "reasons": ["+0.1 points", "too few"]},
            "cannot tell: +0.1 points; too few",
            "voice scorecard",
        ),
        ({"answer": "in use", "reasons": []}, "cannot tell: it is in use already", "none"),
        (
            {"reasons": ["better", "no consent"], "consent": ["no consent"]},
            "no consent; better",
            "voice promote ten-minutes",
        ),
    ],
)
def test_a_hold_says_why_and_what_to_do(changes: dict[str, object], reason: str, action: str) -> None:
    found = held(**changes)
    assert found["recommendation"] == "hold" and found["cycle_status"] == "success"
    assert reason in found["reason"] and action in found["next_action"]


def test_a_hold_beside_a_version_in_use_shows_where_the_two_differ() -> None:
    record = cycle(evaluation=SCORED, promotion=HELD, comparison={"with": "a" * 64, "with_run": "five-minutes"})
    assert cycle_block.next_action(record).endswith("voice compare five-minutes ten-minutes")


def test_a_step_that_failed_is_the_reason_and_the_objective_stands() -> None:
    before = [step for step in ALL if not step.startswith("phase_8")]
    failure = records.failed("phase_8_promotion.decided", "registry_invalid", "current.json is empty")
    record = cycle(failure, steps=before, evaluation=SCORED)
    found = cycle_block.values(record)
    assert block.values(record)["objective_status"] == "success" and found["cycle_status"] == "blocked"
    assert found["reason"] == "phase_8_promotion.decided: registry_invalid: current.json is empty"
    assert found["recommendation"] == "none" and found["next_action"].endswith("--resume")


def test_a_cycle_that_was_cut_short_after_the_certificate_goes_on_without_a_training() -> None:
    before = [step for step in ALL if not step.startswith(("phase_6", "phase_8"))]
    stopped = {"event": "step_started", "step": "phase_6_evaluation.voice_evaluated"}
    assert cycle_block.next_action(cycle(stopped, steps=before).completed()).endswith(
        "go on there: pytest acceptance -q --resume"
    )
    early = cycle({"event": "step_started", "step": ALL[8]}, steps=ALL[:8]).completed()
    assert cycle_block.next_action(early).endswith("training resumes from its last state: pytest acceptance -q")


@pytest.mark.parametrize(("currency", "money"), [("USD", "0.0123"), ("EUR", "0.0123 EUR")])
def test_the_cost_is_money_and_seconds(currency: str, money: str) -> None:
    found = cycle_block.values(cycle(cost={"micro": 12_345, "ms": 74_070, "currency": currency}))
    assert (found["cost_usd"], found["cost_seconds"]) == (money, "74.1")


def test_a_summary_for_a_ci_system_has_the_cycle_and_its_phases(tmp_path) -> None:
    text = ci_summary.markdown(cycle(evaluation=SCORED, promotion=HELD), tmp_path)
    assert "recommendation" in text and "grade C is below B" in text and "| promotion" in text


NAMES = st.sampled_from("score grade counts reasons micro ms answer in_use consent".split())
FACTS = st.sampled_from("evaluation comparison production promotion cost".split())


def test_the_page_of_a_cycle_shows_the_decision_and_that_of_another_run_does_not(tmp_path) -> None:
    assert "grade C is below B" in run_page.render(cycle(evaluation=SCORED, promotion=HELD), tmp_path)
    plain = from_events([records.session_started(), *map(passed, [step.id for step in STEPS])])
    assert "Full cycle" not in run_page.render(plain, tmp_path)


@given(st.dictionaries(FACTS, st.dictionaries(NAMES, records.json_values)))
def test_whatever_a_journal_holds_it_is_one_line_a_key(facts: dict[str, object]) -> None:
    lines = cycle_block.block(cycle(**facts)).splitlines()
    assert len(lines) == len(KEYS) + 2


def test_a_cost_that_was_not_summed_is_not_said_to_be_nothing() -> None:
    start = records.session_started() | {"full_cycle": True}
    assert cycle_block.values(from_events([start]))["cost_usd"] == "not known"
    assert cycle_block.values(from_events([start | {"no_cost": True}]))["cost_usd"] == "off"
    assert cycle_block.values(cycle(cost={"micro": 99_000, "ms": 593_700, "currency": "USD"}))["cost_usd"] == "0.0990"
