"""The picture above the report: pytest's letters, one line per phase, and nothing that breaks a line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from _pytest.reports import TestReport
from _pytest.terminal import pytest_report_teststatus
from hypothesis import given

from acceptance.record.record import from_events
from acceptance.report import summary
from acceptance.steps import ALL_STEPS
from tests.acceptance.records import IDS, failed, runs, session_started


def finished(step: str, outcome: str) -> dict:
    return {
        "event": "step_finished",
        "step": step,
        "outcome": outcome,
        "blocked_by": None,
        "seconds": 0.1,
        "failure": None,
    }


def rendered(*events: dict) -> list[str]:
    return summary.render(from_events([session_started(), *events]), Path("/somewhere")).split("\n")


def signs(lines: list[str], phase: str) -> str:
    return next(line for line in lines if line.startswith(f"  {phase}")).split()[1]


def legend(lines: list[str]) -> dict[str, str]:
    """What a sign means -> the sign."""
    return {meaning: sign for sign, meaning in re.findall(r"(\S) ([a-z ]+)[,)]", lines[0].partition("(")[2])}


@pytest.mark.parametrize("outcome", ["passed", "failed", "skipped"])
def test_a_step_has_the_letter_that_pytest_gives_its_outcome(outcome: str) -> None:
    report = TestReport("id", ("file", 0, "test"), {}, outcome, None, "call")
    letter = pytest_report_teststatus(report)[1]
    lines = rendered(failed(IDS[0], "audio_missing", "gone") if outcome == "failed" else finished(IDS[0], outcome))
    assert signs(lines, IDS[0].partition(".")[0])[0] == letter
    assert legend(lines)[outcome] == letter


def test_the_legend_names_each_sign_once_and_a_point_never_means_not_run() -> None:
    lines = rendered()
    meanings = legend(lines)
    assert meanings == {
        "passed": ".",
        "failed": "F",
        "blocked": "b",
        "interrupted": "i",
        "advisory": "!",
        "skipped": "s",
        "not run": "-",
    }
    phases = {step.phase for step in ALL_STEPS}
    assert len(phases) == 6
    assert {sign for phase in phases for sign in signs(lines, phase)} == {meanings["not run"]}


def test_a_blocked_and_an_unfinished_run_use_the_legends_signs() -> None:
    lines = rendered(finished(IDS[0], "passed"), finished(IDS[1], "blocked"))
    assert signs(lines, IDS[0].partition(".")[0])[:3] == ".b-"


@given(runs)
def test_the_summary_is_printable_lines(events: list[dict]) -> None:
    text = summary.render(from_events(events), Path("/somewhere/\udcff"))
    assert all(line.isprintable() for line in text.split("\n"))
    assert sum(line.startswith("  phase_") for line in text.split("\n")) == 6
