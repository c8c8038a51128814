"""The table of steps agrees with the phase modules and with itself."""

from __future__ import annotations

import re

import pytest

from acceptance.settings import PROJECT_ROOT
from acceptance.steps import ORDER, PHASES, STEP, STEPS


def test_every_step_is_a_test_function_of_its_phase_in_the_same_order() -> None:
    found = []
    for path in sorted((PROJECT_ROOT / "acceptance").glob("test_*.py")):
        phase = path.stem.replace("test_", "phase_", 1)
        found += [f"{phase}.{check}" for check in re.findall(r"^def test_(\w+)\(", path.read_text(), re.MULTILINE)]
    assert found == [step.id for step in STEPS]


def test_ids_are_unique_and_named_by_number_and_phase() -> None:
    assert len(STEP) == len(STEPS) == len(ORDER) == 20
    assert all(re.fullmatch(r"phase_[1-5]_[a-z]+\.[a-z_]+", step.id) for step in STEPS)
    assert [phase.split("_")[1] for phase in PHASES] == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.id)
def test_a_step_depends_only_on_earlier_ones(step) -> None:
    assert all(ORDER[other] < ORDER[step.id] for other in (*step.requires, *step.follows))
    assert f"{step.phase}.{step.check}" == step.id
