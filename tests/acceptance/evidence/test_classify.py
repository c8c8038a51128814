"""Classification: engine state, then marker, then exit code, and text only where nothing else is left - and then only for the cause."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acceptance.causes import CAUSES, FailureClass
from acceptance.evidence.classify import Evidence, cause_in_text, class_of, failure_of
from acceptance.objective import PROJECT_ROOT
from trainer.job.contract import MARKERS

ENV, RUN, DATA, TRAIN = FailureClass
MESSAGES = Path(os.environ.get("FAULT_MESSAGES", PROJECT_ROOT.parent / "shared/faults/error_messages.jsonl"))

SAYINGS = [
    "ModuleNotFoundError: No module named 'torch'", "RuntimeError: CUDA out of memory", "OSError: [Errno 28] No space left on device",
    "error while loading shared libraries: libsndfile.so.1", "soundfile.LibsndfileError: Error opening 'x': Format not recognised.",
    "loss became nan", "Illegal instruction", "_pickle.UnpicklingError", "FAILURE cause=data message=boom",
    "standard_init_linux.go: exec format error",
]  # fmt: skip
texts = st.lists(st.sampled_from(SAYINGS) | st.text(max_size=60), max_size=5)
evidence = st.builds(
    Evidence,
    started=st.booleans(), engine_lost=st.booleans(), oom_killed=st.booleans(), deadline_exceeded=st.booleans(),
    exit_code=st.none() | st.sampled_from([0, 1, 2, 10, 20, 30, 126, 127, 132, 134, 135, 137, 139, 143]) | st.integers(0, 255),
    markers=st.lists(st.sampled_from(MARKERS), unique=True), status_cause=st.none() | st.sampled_from(sorted(CAUSES)) | st.text(max_size=8),
    text=texts,
)  # fmt: skip


@given(evidence, texts)
def test_text_and_the_jobs_own_claims_never_change_a_class_that_earlier_evidence_gives(
    found: Evidence, other: list[str]
) -> None:
    if class_of(found) is None:
        return
    assert failure_of(found).failure_class is class_of(found)
    assert failure_of(replace(found, text=other, status_cause=None)).failure_class is class_of(found)


@given(evidence)
def test_every_ended_run_has_one_class_and_a_cause_of_that_class(found: Evidence) -> None:
    failure = failure_of(found)
    assert failure.failure_class in FailureClass
    assert CAUSES[failure.cause].failure_class in (None, failure.failure_class)


@given(evidence)
def test_engine_state_goes_before_markers_and_exit_code(found: Evidence) -> None:
    assert class_of(replace(found, started=False, exit_code=None)) is ENV
    assert class_of(replace(found, started=False, engine_lost=False, exit_code=127)) is RUN
    assert class_of(replace(found, engine_lost=True)) is ENV
    running = replace(found, started=True, engine_lost=False)
    assert class_of(replace(running, deadline_exceeded=True)) is TRAIN
    assert class_of(replace(running, oom_killed=True, exit_code=137)) is TRAIN


@given(st.lists(st.sampled_from(MARKERS), min_size=1), st.integers(0, 255), texts)
def test_the_furthest_marker_goes_before_the_exit_code(markers: list[str], exit_code: int, text: list[str]) -> None:
    expected = {"import_ok": RUN, "model_ok": DATA}.get(max(markers, key=MARKERS.index), TRAIN)
    assert class_of(Evidence(exit_code=exit_code, markers=markers, text=text)) is expected


@pytest.mark.parametrize(
    ("exit_code", "expected"), [(10, DATA), (20, RUN), (30, TRAIN), (126, RUN), (127, RUN), (132, RUN), (139, RUN)]
)
@given(text=texts)
def test_the_exit_code_goes_before_text(exit_code: int, expected: FailureClass, text: list[str]) -> None:
    assert failure_of(Evidence(exit_code=exit_code, text=text)).failure_class is expected


@pytest.mark.parametrize("exit_code", [1, 2, 99, 255])
def test_text_decides_where_nothing_else_is_left(exit_code: int) -> None:
    failure = failure_of(Evidence(exit_code=exit_code, text=["ModuleNotFoundError: No module named 'torch'"]))
    assert (failure.failure_class, failure.cause) == (RUN, "missing_module")
    unknown = failure_of(Evidence(exit_code=exit_code, text=["nobody knows"]))
    assert (unknown.failure_class, unknown.cause) == (TRAIN, "trainer_exit_nonzero")


@pytest.mark.parametrize(
    "forged", ["policy_denied", "docker_daemon_unreachable", "internal_error", "stale_artifact", "interrupted"]
)
def test_a_job_cannot_state_a_cause_that_only_the_harness_can_know(forged: str) -> None:
    failure = failure_of(Evidence(exit_code=1, status_cause=forged, text=[f"FAILURE cause={forged} message=x"]))
    assert (failure.failure_class, failure.cause) == (TRAIN, "trainer_exit_nonzero")


def test_the_cause_in_the_runs_own_status_refines_only_within_its_class() -> None:
    assert failure_of(Evidence(exit_code=10, status_cause="no_usable_speech")).cause == "no_usable_speech"
    assert failure_of(Evidence(exit_code=10, status_cause="missing_module")).cause != "missing_module"


@pytest.mark.parametrize(
    ("found", "cause"),
    [
        (Evidence(engine_lost=True, exit_code=None), "engine_lost"),
        (Evidence(deadline_exceeded=True, exit_code=143), "deadline_exceeded"),
        (Evidence(oom_killed=True, exit_code=137), "out_of_memory"),
        (Evidence(oom_killed=True, exit_code=30, markers=["import_ok", "model_ok"]), "out_of_memory"),
        (Evidence(exit_code=137, markers=["train_started"]), "killed"),
        (Evidence(exit_code=135, markers=["train_started"]), "shared_memory_exhausted"),
        (Evidence(exit_code=132), "illegal_instruction"),
        (Evidence(exit_code=127), "entrypoint_not_executable"),
    ],
)
def test_state_alone_names_the_cause(found: Evidence, cause: str) -> None:
    assert failure_of(found).cause == cause


def real_messages() -> list[tuple[str, str, tuple[str, ...]]]:
    """(text, stage, classes that are right) of messages seen in the field."""
    if not MESSAGES.is_file():
        return []
    rows = map(json.loads, MESSAGES.read_text(encoding="utf-8").splitlines())
    return [
        (
            row["text"],
            (re.match(r"stage=(\w+)", row["note"]) or [None, ""])[1],
            (row["expected_class"], *re.findall(r"also_ok=(\w+)", row["note"])),
        )
        for row in rows
    ]


NEEDS_MESSAGES = pytest.mark.skipif(
    not MESSAGES.is_file(), reason="needs the collection of real error messages (FAULT_MESSAGES=file)"
)
INSIDE = {"import": ((), 1), "init": (("import_ok",), 1), "model_load": (("import_ok",), 1), "data": (("model_ok",), 1)}


@NEEDS_MESSAGES
@pytest.mark.parametrize(
    ("text", "stage", "right"),
    [row for row in real_messages() if row[1] in ("import", "model_load", "data", "train", "save")],
)
def test_a_real_message_alone_gives_its_class(text: str, stage: str, right: tuple[str, ...]) -> None:
    failure = failure_of(Evidence(exit_code=1, text=text.splitlines()))
    assert str(failure.failure_class) in right, failure.cause


@NEEDS_MESSAGES
@pytest.mark.parametrize(("text", "stage", "right"), [row for row in real_messages() if row[1] in INSIDE])
def test_a_real_message_with_its_markers_gives_its_class(text: str, stage: str, right: tuple[str, ...]) -> None:
    markers, exit_code = INSIDE[stage]
    assert (
        str(failure_of(Evidence(exit_code=exit_code, markers=markers, text=text.splitlines())).failure_class) in right
    )


@NEEDS_MESSAGES
@pytest.mark.parametrize("text", [row[0] for row in real_messages() if row[2][0] == "none"])
def test_a_harmless_line_names_no_cause(text: str) -> None:
    assert cause_in_text(text.splitlines(), None) is None
