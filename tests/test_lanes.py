"""Every test is in exactly one lane, and what belongs together runs in one worker."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests import lanes, shared

ROOT = Path(__file__).resolve().parent.parent
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def test_the_two_lanes_are_each_others_complement() -> None:
    long = re.search(r"^LONG_TESTS := (.+)$", MAKEFILE, re.MULTILINE)
    assert set(long[1].split(" or ")) == lanes.LONG
    assert '-m "not ($(LONG_TESTS))"' in MAKEFILE and '-m "$(LONG_TESTS)"' in MAKEFILE


def test_every_marker_of_the_long_lane_is_registered(pytestconfig: pytest.Config) -> None:
    assert {line.partition(":")[0] for line in pytestconfig.getini("markers")} >= lanes.LONG


@pytest.mark.parametrize(
    ("nodeid", "together"),
    [
        ("tests/a.py::test_b", "tests/a.py"),
        ("tests/a.py::test_b[x@y]", "tests/a.py"),
        ("tests/a.py::test_b@engine", "engine"),
        ("tests/a.py::test_b[x@y]@engine", "engine"),
    ],
)
def test_a_file_runs_in_one_worker_and_a_group_in_one(nodeid: str, together: str) -> None:
    assert lanes.scope(nodeid) == together


@pytest.mark.long
def test_what_needs_an_engine_runs_in_one_worker_whatever_file_it_is_in(tmp_path: Path) -> None:
    text = """import os, pathlib, pytest
@pytest.mark.parametrize("number", [1, 2, 3])
{mark}def test_{name}(number):
    with open({log!r}, "a") as log:
        print("{name}", os.environ["PYTEST_XDIST_WORKER"], file=log)
"""
    log = tmp_path / "log"
    for name, mark in (("a", "engine"), ("b", ""), ("c", "engine"), ("d", ""), ("e", "engine")):
        mark = mark and f"@pytest.mark.{mark}\n"
        (tmp_path / f"test_{name}.py").write_text(text.format(name=name, mark=mark, log=str(log)))
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = engine\n")
    command = [sys.executable, "-m", "pytest", str(tmp_path), "-p", "tests.conftest", "-n", "2", "--dist", "loadgroup"]
    outside = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    ended = subprocess.run(command, cwd=ROOT, env=outside, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    ran = [line.split() for line in log.read_text().splitlines()]
    assert len(ran) == 15
    assert len({worker for name, worker in ran if name in "ace"}) == 1
    assert len({worker for _, worker in ran}) == 2


def test_what_takes_long_runs_first_and_files_stay_together() -> None:
    def item(name: str, *markers: str) -> SimpleNamespace:
        return SimpleNamespace(path=f"{name[0]}.py", name=name, get_closest_marker=lambda marker: marker in markers)

    items = [item("a1"), item("b1"), item("b2"), item("c1", "session"), item("c2", "session", "engine"), item("d1"),
             item("d2", "training"), item("e1", "long"), item("f1", "engine")]  # fmt: skip
    lanes.longest_first(items)
    assert [each.name for each in items] == ["c2", "f1", "d1", "d2", "e1", "b1", "b2", "a1", "c1"]


def test_a_fixture_decides_whether_a_test_needs_an_engine(request: pytest.FixtureRequest) -> None:
    assert not lanes.needs_engine(request.node)
    request.node.fixturenames.append("engine_host")
    assert lanes.needs_engine(request.node)
    request.node.fixturenames.remove("engine_host")


def test_what_is_shared_is_made_once_and_again_after_a_failure(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    made = []

    def make(folder: Path) -> None:
        assert list(folder.iterdir()) == []
        (folder / "file").touch()
        made.append(folder)
        if len(made) == 1:
            raise OSError("the first attempt fails")

    name = f"test-{tmp_path_factory.mktemp('name').name}"
    with pytest.raises(OSError, match="first attempt"):
        shared.once(tmp_path_factory, name, make)
    assert shared.once(tmp_path_factory, name, make) == shared.once(tmp_path_factory, name, make) == made[-1]
    assert len(made) == 2
