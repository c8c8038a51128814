"""The contract of job and harness: every word that one side writes, the other reads."""

from __future__ import annotations

import ast
import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer import backbones
from trainer.errors import DataError, RuntimeSetupError, TrainingError
from trainer.job import contract
from trainer.job.contract import JOB_CAUSES, MARKERS, STAGE_AFTER, ExitStatus, Marker, Variable
from trainer.job.ending import ended

TRAINER = Path(__file__).resolve().parents[3] / "trainer"
STATUS_OF = {
    "DataError": ExitStatus.DATA,
    "RuntimeSetupError": ExitStatus.RUNTIME,
    "TrainingError": ExitStatus.TRAINING,
}
NO_PART_OF_A_JOB = ("evaluation", "pretraining")
one_line = st.text(st.characters(categories=["L", "N", "P", "Zs"]), max_size=40)
slugs = st.text("abcdefghijklmnopqrstuvwxyz_0123456789", min_size=1, max_size=20)


def test_the_contract_needs_the_standard_library_alone() -> None:
    code = "import sys, trainer.job.contract; print(*{name.partition('.')[0] for name in sys.modules} - sys.stdlib_module_names)"
    found = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=TRAINER.parent, capture_output=True, text=True, check=True
    )
    assert set(found.stdout.split()) == {"__main__", "trainer"}


@pytest.mark.parametrize("kind", [DataError, RuntimeSetupError, TrainingError])
def test_a_failure_of_the_trainer_ends_with_the_status_of_the_contract(kind: type) -> None:
    assert kind.exit_code == STATUS_OF[kind.__name__]


def test_the_variables_of_the_backbone_are_fields_of_its_settings() -> None:
    names = {backbones.BACKBONE_PREFIX + field.name.upper() for field in dataclasses.fields(backbones.BackboneSettings)}
    assert {variable for variable in Variable if variable.startswith(backbones.BACKBONE_PREFIX)} == names


def raised() -> set[tuple[str, str]]:
    """(type, cause) of every TrainerError that a job's code makes with a cause that stands in the call."""
    found = set()
    for path in (path for path in TRAINER.rglob("*.py") if path.relative_to(TRAINER).parts[0] not in NO_PART_OF_A_JOB):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in STATUS_OF:
                found |= {
                    (node.func.id, key.value.value)
                    for key in node.keywords
                    if key.arg == "cause" and isinstance(key.value, ast.Constant)
                }
    return found


def test_a_cause_that_the_trainer_names_ends_with_the_status_of_its_row() -> None:
    known = {(kind, cause) for kind, cause in raised() if cause in JOB_CAUSES}
    assert len(known) > 20
    wrong = {(kind, cause) for kind, cause in known if JOB_CAUSES[cause].status not in (None, STATUS_OF[kind])}
    # A manifest that a person gives is data; in a job it is an artifact of the job itself.
    assert wrong == {("DataError", "manifest_invalid")}


@given(slugs, one_line, st.lists(one_line, max_size=3))
def test_a_failure_line_is_read_as_it_was_written(cause: str, message: str, before: list[str]) -> None:
    lines = [*before, contract.failure_line(cause, message)]
    assert (contract.stated_cause(lines), contract.stated_message(lines)) == (cause, message)


@pytest.mark.parametrize(
    "line",
    ["FAILURE", "FAILURE cause= message=x", "FAILURE cause=a-b message=x", " FAILURE cause=a message=x", "cause=a"],
)
def test_what_is_no_failure_line_states_no_cause(line: str) -> None:
    assert contract.stated_cause([line]) is None


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.floats(-1e9, 1e9))
def test_a_progress_line_is_read_as_it_was_written(step: int, total: int, loss: float) -> None:
    found = contract.parse_progress(contract.progress_line(step, total, loss))
    assert found == ((step, total, pytest.approx(loss, abs=1e-5)) if step <= total else None)


@given(st.lists(st.sampled_from(MARKERS) | one_line, max_size=8), slugs)
def test_the_markers_of_a_log_are_those_that_its_run_reached(lines: list[str], run_id: str) -> None:
    text = "\n".join([contract.run_line(run_id), *lines])
    expected = [marker for marker in Marker if marker in [line.strip() for line in lines]]
    found = contract.markers_in(text, run_id)
    assert list(found) == expected
    assert contract.furthest(found) == (expected[-1] if expected else None)
    assert contract.markers_in(text, run_id + "2") == ()


@given(st.integers(0, 255), st.sampled_from([None, *MARKERS]))
def test_every_code_of_a_job_becomes_a_status_or_stays_a_death_by_signal(code: int, last: Marker | None) -> None:
    found = contract.exit_code_of(code, last)
    assert found in set(ExitStatus) or 128 < found == code <= 192
    assert contract.exit_code_of(found, last) == found


def test_every_marker_has_a_stage_and_the_stages_follow_each_other() -> None:
    assert list(STAGE_AFTER) == [None, *Marker]
    statuses = [stage.status for stage in STAGE_AFTER.values()]
    assert statuses == sorted(statuses, key=[ExitStatus.RUNTIME, ExitStatus.DATA, ExitStatus.TRAINING].index)


@pytest.mark.parametrize("cause", JOB_CAUSES)
def test_a_cause_that_the_job_states_stands_in_its_report(cause: str, tmp_path: Path) -> None:
    environ = {Variable.STATUS: str(tmp_path / "status.json")}
    status = JOB_CAUSES[cause].status or ExitStatus.TRAINING
    code, fields = ended(status, [contract.failure_line(cause, "why")], environ)
    assert (code, fields["cause"]) == (status, cause)
    assert contract.holds_report(contract.report_text(fields).splitlines())
