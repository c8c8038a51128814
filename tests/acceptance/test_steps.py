"""The table of steps agrees with the phase modules and with itself."""

from __future__ import annotations

import re

import pytest

from acceptance.objective import PROJECT_ROOT
from acceptance.steps import (
    ALL_STEPS,
    GUARDRAILS,
    OPTIONAL,
    ORDER,
    PHASES,
    STEP,
    STEPS,
    is_asked,
    is_guardrail,
    optional_steps,
)


def test_every_step_is_a_test_function_of_its_phase_in_the_same_order() -> None:
    found = []
    for path in sorted((PROJECT_ROOT / "acceptance").glob("test_*.py")):
        phase = path.stem.replace("test_", "phase_", 1)
        found += [f"{phase}.{check}" for check in re.findall(r"^def test_(\w+)\(", path.read_text(), re.MULTILINE)]
    assert found == [step.id for step in (*ALL_STEPS, *optional_steps(OPTIONAL))]


def test_ids_are_unique_and_named_by_number_and_phase() -> None:
    assert len(STEPS) == 20
    assert len(STEP) == len(ORDER) == len(ALL_STEPS) + len(optional_steps(OPTIONAL))
    assert len(ALL_STEPS) == len(STEPS) + len(GUARDRAILS)
    assert all(re.fullmatch(r"phase_[0-8]_[a-z]+\.[a-z_]+", step) for step in STEP)
    assert [step for step in STEP if not is_asked(step, ())] == [step.id for step in optional_steps(OPTIONAL)]
    assert all(step.phase == phase for phase, steps in OPTIONAL.items() for step in steps)
    assert [phase.split("_")[1] for phase in PHASES] == ["0", "1", "2", "3", "4", "5"]
    assert [step for step in ALL_STEPS if is_guardrail(step.id)] == list(GUARDRAILS)


def test_every_guardrail_is_a_module_of_its_name_and_depends_on_no_step() -> None:
    modules = {path.stem for path in (PROJECT_ROOT / "acceptance" / "guardrails").glob("*.py")}
    assert {step.check for step in GUARDRAILS} <= modules
    assert not any(step.requires or step.follows for step in GUARDRAILS)


@pytest.mark.parametrize("word", ["preflight", "build", "readiness", "artifacts", "report", "docker", "audio"])
def test_selecting_a_phase_by_a_word_selects_no_guardrail(word: str) -> None:
    assert not any(word in step.id for step in GUARDRAILS)


@pytest.mark.parametrize("step", STEP.values(), ids=lambda step: step.id)
def test_a_step_depends_only_on_earlier_ones(step) -> None:
    assert all(ORDER[other] < ORDER[step.id] for other in (*step.requires, *step.follows))
    assert f"{step.phase}.{step.check}" == step.id
