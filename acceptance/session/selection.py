"""Which collected tests are steps of the objective, which steps those need, and in which order all run."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pytest

from acceptance.session.asked import PACKAGE
from acceptance.steps import FULL_CYCLE, ORDER, PRODUCTION_PHASE, STEP, is_asked, needed_by


def step_of(item: pytest.Item) -> str | None:
    """The step that a test decides: `test_1_preflight.py::test_audio_size` -> `phase_1_preflight.audio_size`; None for other tests."""
    phase = phase_of(item.path)
    step = f"{phase}.{getattr(item, 'originalname', item.name).removeprefix('test_')}"
    return step if phase is not None and step in STEP else None


def phase_of(path: Path) -> str | None:
    """The phase of a module of this package; None for other files."""
    return path.stem.replace("test_", "phase_", 1) if path.parent == PACKAGE else None


def asked_phases(config: pytest.Config) -> frozenset[str]:
    """The optional phases that the command line asks for."""
    production = {PRODUCTION_PHASE} if config.option.production is not None else set()
    return frozenset(production | (FULL_CYCLE if config.option.full_cycle else set()))


def sort_steps(items: list[pytest.Item]) -> None:
    """Put the steps into pipeline order, in the places where steps stand, whatever shuffled them; other tests keep theirs."""
    places = [index for index, item in enumerate(items) if step_of(item) is not None]
    ordered = sorted((items[index] for index in places), key=lambda item: ORDER[step_of(item) or ""])
    for index, item in zip(places, ordered, strict=True):
        items[index] = item


def add_needed(items: list[pytest.Item], phases: Collection[str]) -> list[str]:
    """Add the steps that the selected ones need to `items`, and return their ids in order; of optional phases only those asked for."""
    selected = {step: item for item in items if (step := step_of(item)) is not None}
    wanted = {step for step in needed_by(selected) if is_asked(step, phases)}
    missing = sorted(wanted - selected.keys(), key=ORDER.__getitem__)
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
