"""Which collected tests are steps of the objective, and in which order they run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from acceptance.steps import ORDER, STEP

PACKAGE = Path(__file__).resolve().parent


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
    ordered = sorted((items[index] for index in places), key=lambda item: ORDER[step_of(item)])
    for index, item in zip(places, ordered, strict=True):
        items[index] = item


def targets_steps(args: Iterable[str], invocation_dir: Path) -> bool:
    """Whether collecting these command-line arguments would reach the phase modules."""
    for arg in args:
        path = (invocation_dir / arg.partition("::")[0]).resolve()
        if path == PACKAGE or path in PACKAGE.parents or PACKAGE in path.parents:
            return True
    return False
