"""Which lane a test runs in: what a test uses sets its markers, so that no file has to repeat them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from _pytest.nodeid import NodeId

TESTS = Path(__file__).parent
LONG = frozenset({"engine", "training", "session", "long"})
"""A test with one of these markers runs in the long lane; `make test` leaves it out."""
FIRST = ("engine", "training", "long")
"""Markers of what takes longest; a file of them that came last would run beside an idle worker."""
ENGINE_FIXTURES = frozenset({"engine_host", "docker_cli", "private_engine", "bystander", "docker_site"})
SESSION_FOLDERS = (TESTS / "acceptance" / "sessions", TESTS / "acceptance" / "faults")


def mark(items: Iterable[pytest.Item]) -> None:
    """Mark what starts sessions or needs the Docker engine; tests on the engine run in one worker, one after another."""
    for item in items:
        if any(folder in item.path.parents for folder in SESSION_FOLDERS):
            item.add_marker("session")
        if needs_engine(item):
            item.add_marker("engine")
        if item.get_closest_marker("engine"):
            item.add_marker(pytest.mark.xdist_group("engine"))


def name_groups(items: Iterable[pytest.Item]) -> None:
    """Put each group behind the ids of its tests, as the scheduler expects it.

    pytest-xdist 3.8 does that by an attribute that pytest 9.2 no longer reads.
    """
    for item in items:
        if (group := item.get_closest_marker("xdist_group")) and "@" not in item.nodeid.rpartition("]")[2]:
            item._id = NodeId.parse(f"{item.nodeid}@{group.args[0]}")


def longest_first(items: list[pytest.Item]) -> None:
    """Order what runs in one worker together: the engine's group, then what trains; short files fill the end of the run."""
    together = Counter(map(_unit, items))
    rank = {unit: len(FIRST) for unit in together}
    for item in items:
        marked = [number for number, name in enumerate(FIRST) if item.get_closest_marker(name)]
        rank[_unit(item)] = min([rank[_unit(item)], *marked])
    items.sort(key=lambda item: (rank[_unit(item)], -together[_unit(item)]))


def _unit(item: pytest.Item) -> str:
    return "engine" if item.get_closest_marker("engine") else str(item.path)


def needs_engine(item: pytest.Item) -> bool:
    """Whether a fixture of the test, or the runtime it is parametrized with, is a Docker engine."""
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    return not ENGINE_FIXTURES.isdisjoint(item.fixturenames) or parameters.get("site") == "docker"


def scope(nodeid: str) -> str:
    """What runs in one worker together: a group where one is named, else the file, whose fixtures are made once."""
    return nodeid.rpartition("@")[2] if nodeid.rfind("@") > nodeid.rfind("]") else nodeid.partition("::")[0]
