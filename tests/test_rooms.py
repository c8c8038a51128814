"""Who lives where: no cycle between folders, few loose modules at the roots, short files, and nothing that only tests call."""

from __future__ import annotations

import ast
import graphlib
import re
from collections import Counter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("acceptance", "trainer")
LOOSE = {"acceptance": 14, "trainer": 5}
"""How many modules may lie at a package's root. `__init__` and `__main__`, whose place Python decides, are not counted."""
MAX_LINES = 400
SHARED_NAMES = {
    "acceptance": set(),
    "trainer": set(
        "Baseline Clip Example Hooks Licence Listener Listing Plan Record Row Sentence Source Speaker Spoken SpokenText "
        "Task Utterance Voice".split()
    ),
}
"""Class names that still mean several things in a package; these lists may only get shorter."""
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
SCRIPTS = [
    ROOT / "Makefile",
    ROOT / "pyproject.toml",
    ROOT / ".ci" / "run",
    *sorted((ROOT / "docker").rglob("*.sh")),
]


@pytest.mark.parametrize("package", PACKAGES)
def test_folders_import_each_other_in_no_circle(package: str) -> None:
    graph = grimp.build_graph(package, exclude_type_checking_imports=True, cache_dir=None)
    parents = {package} | {module for module in graph.modules if graph.find_children(module)}
    assert len(parents) > 5
    for parent in sorted(parents):
        owner = {inner: room for room in graph.find_children(parent) for inner in {room} | graph.find_descendants(room)}
        needs: dict[str, set[str]] = {}
        for inner, room in owner.items():
            needed = {owner[other] for other in graph.find_modules_directly_imported_by(inner) if other in owner}
            needs.setdefault(room, set()).update(needed - {room})
        graphlib.TopologicalSorter(needs).prepare()  # a CycleError names the circle


@pytest.mark.parametrize("package", PACKAGES)
def test_few_modules_lie_loose_at_the_root(package: str) -> None:
    loose = sorted(path.name for path in (ROOT / package).glob("*.py") if path.stem not in {"__init__", "__main__"})
    assert "errors.py" in loose or "verdict.py" in loose
    assert len(loose) <= LOOSE[package], loose


def test_no_file_is_longer_than_400_lines() -> None:
    files = [
        path
        for folder in (*PACKAGES, "docker", "tests", ".ci")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".sh"}
    ]
    assert len(files) > 400
    assert [path for path in files if len(path.read_text(encoding="utf-8").splitlines()) > MAX_LINES] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_a_class_name_means_one_thing_in_its_package(package: str) -> None:
    modules = [ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES if ROOT / package in path.parents]
    names = Counter(node.name for module in modules for node in module.body if isinstance(node, ast.ClassDef))
    assert len(names) > 100
    several = {name for name, count in names.items() if count > 1 and not name.startswith("_")}
    assert several <= SHARED_NAMES[package]


def test_no_function_or_class_is_there_for_tests_alone() -> None:
    callers = (*SOURCES, *SCRIPTS, *(ROOT / "tests" / "benchmarks").glob("*.py"))
    # A subcommand is written with dashes.
    words = Counter(
        word for path in callers for word in re.findall(r"\w+", path.read_text(encoding="utf-8").replace("-", "_"))
    )
    modules = [ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES]
    defined = [node for module in modules for node in module.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    assert len(defined) > 1000
    # pytest calls its hooks and the phases' steps, Python what has two underscores; a decorator may register what it decorates.
    called = [node.name for node in defined if not node.decorator_list and not re.match("pytest_|test_|__", node.name)]
    assert [name for name in called if words[name] == 1] == []
