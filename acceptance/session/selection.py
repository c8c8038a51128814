"""Which collected tests are steps of the objective, which steps those need, and in which order all run."""

from __future__ import annotations

import pytest

from acceptance.session.asked import PACKAGE
from acceptance.steps import ORDER, STEP, needed_by


def step_of(item: pytest.Item) -> str | None:
    """The step that a test decides: `test_1_preflight.py::test_audio_size` -> `phase_1_preflight.audio_size`; None for other tests."""
    if item.path.parent != PACKAGE:
        return None
    phase = item.path.stem.replace("test_", "phase_", 1)
    step = f"{phase}.{getattr(item, 'originalname', item.name).removeprefix('test_')}"
    return step if step in STEP else None


def sort_steps(items: list[pytest.Item]) -> None:
    """Put the steps into pipeline order, in the places where steps stand, whatever shuffled them; other tests keep theirs."""
    places = [index for index, item in enumerate(items) if step_of(item) is not None]
    ordered = sorted((items[index] for index in places), key=lambda item: ORDER[step_of(item) or ""])
    for index, item in zip(places, ordered, strict=True):
        items[index] = item


def add_needed(items: list[pytest.Item]) -> list[str]:
    """Add the steps that the selected ones need to `items`, and return their ids in order."""
    selected = {step: item for item in items if (step := step_of(item)) is not None}
    missing = sorted(needed_by(selected) - selected.keys(), key=ORDER.__getitem__)
    found: dict[str | None, pytest.Item] = {}
    for step in missing:
        if step not in found:
            found |= {step_of(item): item for item in _tests_beside(next(iter(selected.values())), step)}
    items += [found[step] for step in missing]
    return missing


def _tests_beside(item: pytest.Item, step: str) -> list[pytest.Item]:
    """The tests of the module that decides `step`; it lies beside that of `item`."""
    module = item.getparent(pytest.Module)
    assert module is not None, "a step is a function of a module"
    path = PACKAGE / f"{step.partition('.')[0].replace('phase_', 'test_', 1)}.py"
    place = module if module.path == path else pytest.Module.from_parent(module.parent, path=path)
    return [each for each in place.collect() if isinstance(each, pytest.Item)]
