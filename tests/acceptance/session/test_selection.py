"""Which tests are steps, and how they are put in order among others."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acceptance.session.asked import PACKAGE, asks_for_steps, targets_steps
from acceptance.session.selection import sort_steps, step_of
from acceptance.steps import STEPS

IDS = [step.id for step in STEPS]


def item(step: str) -> SimpleNamespace:
    """What selection reads of a collected test."""
    phase, _, check = step.partition(".")
    return SimpleNamespace(
        path=PACKAGE / f"{phase.replace('phase_', 'test_', 1)}.py", name=f"test_{check}", originalname=f"test_{check}"
    )


def other(name: str) -> SimpleNamespace:
    return SimpleNamespace(path=Path("/elsewhere/test_1_preflight.py"), name=name, originalname=name)


@pytest.mark.parametrize("step", IDS)
def test_the_test_of_a_step_is_known_by_file_and_name(step: str) -> None:
    assert step_of(item(step)) == step


def test_a_test_of_the_same_name_elsewhere_or_of_another_name_here_is_no_step() -> None:
    assert step_of(other("test_audio_exists")) is None
    assert step_of(item("phase_1_preflight.something_else")) is None


@given(st.permutations([*IDS, "a", "b", "c"]))
def test_steps_come_into_order_and_other_tests_stay_where_they_are(names: list[str]) -> None:
    items = [item(name) if "." in name else other(name) for name in names]
    places = {index: entry for index, entry in enumerate(items) if step_of(entry) is None}
    sort_steps(items)
    assert [step_of(entry) for entry in items if step_of(entry)] == IDS
    assert all(items[index] is entry for index, entry in places.items())


@pytest.mark.parametrize(
    ("argument", "reached"),
    [
        ("acceptance", True), (".", True), ("acceptance/test_1_preflight.py::test_audio_size", True), ("tests", False),
        ("tests/acceptance", False), ("acceptance_other", False), ("/", True),
    ],
)  # fmt: skip
def test_arguments_that_reach_the_phases_are_recognised(argument: str, reached: bool) -> None:
    assert targets_steps(config_of([argument])) is reached


@pytest.mark.parametrize(
    ("arguments", "options", "asked"),
    [
        (["acceptance"], {}, True), (["acceptance/test_4_artifacts.py::test_learned"], {}, True), (["acceptance"], {"typed": False}, False),
        ([str(PACKAGE.parent)], {}, False), (["."], {}, False), (["acceptance"], {"typed": False, "keyword": "preflight"}, True),
        (["."], {"markexpr": "order"}, True), (["acceptance.test_1_preflight"], {"pyargs": True, "directory": PACKAGE.parent.parent}, True),
    ],
)  # fmt: skip
def test_steps_are_asked_for_by_name_or_by_selection_only(
    arguments: list[str], options: dict[str, object], asked: bool
) -> None:
    assert asks_for_steps(config_of(arguments, **options)) is asked


def config_of(
    arguments: list[str],
    *,
    typed: bool = True,
    keyword: str = "",
    markexpr: str = "",
    pyargs: bool = False,
    directory: Path = PACKAGE.parent,
) -> pytest.Config:
    """What the selection looks at of a session's configuration."""
    sources = pytest.Config.ArgsSource
    found = SimpleNamespace(args=arguments, args_source=sources.ARGS if typed else sources.TESTPATHS)
    found.option = SimpleNamespace(keyword=keyword, markexpr=markexpr, pyargs=pyargs)
    found.invocation_params = SimpleNamespace(dir=directory)
    return found
