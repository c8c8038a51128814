"""Which collected tests are steps of the objective, which steps those need, and in which order all run."""

from __future__ import annotations

from pathlib import Path

import pytest

from acceptance.steps import ORDER, STEP, needed_by

PACKAGE = Path(__file__).resolve().parents[1]
HOW_TO_RUN = "`pytest acceptance -q` builds an image and trains; `pytest acceptance -k guardrails -q` only looks"


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
    path = PACKAGE / f"{step.partition('.')[0].replace('phase_', 'test_', 1)}.py"
    return list((module if module.path == path else pytest.Module.from_parent(module.parent, path=path)).collect())


def targets_steps(config: pytest.Config) -> bool:
    """Whether collecting the command line's arguments would reach the phase modules."""
    return any(_names_package(arg, config) or _leads_to_package(arg, config) for arg in config.args)


def asks_for_steps(config: pytest.Config) -> bool:
    """Whether somebody meant the steps: named their package, a module or a test in it, or selected with -k or -m.

    Without that, as in a bare `pytest` or an editor's "run all", nothing may start to build and train.
    """
    named = config.args_source is pytest.Config.ArgsSource.ARGS and any(_names_package(arg, config) for arg in config.args)
    return bool(named or config.option.keyword or config.option.markexpr)


def _names_package(arg: str, config: pytest.Config) -> bool:
    name = arg.partition("::")[0]
    if config.option.pyargs and name.split(".")[0] == PACKAGE.name and not (config.invocation_params.dir / name).exists():
        return True
    path = (config.invocation_params.dir / name).resolve()
    return path == PACKAGE or PACKAGE in path.parents


def _leads_to_package(arg: str, config: pytest.Config) -> bool:
    """Whether the package lies below a directory, and not in an environment that pytest does not collect."""
    path = (config.invocation_params.dir / arg.partition("::")[0]).resolve()
    return path in PACKAGE.parents and not {"site-packages", "dist-packages"} & {*PACKAGE.relative_to(path).parts}
