"""The digest of a protected path sees every change that matters and none that does not."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from acceptance.protected_paths import digest, snapshot


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    (root / "package").mkdir(parents=True)
    (root / "package/code.py").write_text("x = 1\n")
    (root / "run.sh").write_text("true\n")
    (root / "link").symlink_to("run.sh")
    return root


CHANGES: dict[str, Callable[[Path], object]] = {
    "content": lambda root: (root / "package/code.py").write_text("x = 2\n"),
    "new file": lambda root: (root / "package/more.py").touch(),
    "new directory": lambda root: (root / "empty").mkdir(),
    "removed": lambda root: (root / "run.sh").unlink(),
    "renamed": lambda root: (root / "run.sh").rename(root / "walk.sh"),
    "executable": lambda root: (root / "run.sh").chmod(0o755),
    "link target": lambda root: ((root / "link").unlink(), (root / "link").symlink_to("package")),
    "file becomes link": lambda root: ((root / "run.sh").rename(root.parent / "away"), (root / "run.sh").symlink_to("../away")),
    "file becomes FIFO": lambda root: ((root / "run.sh").unlink(), os.mkfifo(root / "run.sh")),
    "all gone": shutil.rmtree,
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.timeout(5)
def test_a_change_is_seen(tree: Path, name: str) -> None:
    before = digest(tree)
    CHANGES[name](tree)
    assert digest(tree) != before


def test_times_caches_and_what_links_point_to_do_not_matter(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("1")
    (tree / "out").symlink_to(tmp_path / "outside")
    before = digest(tree)
    os.utime(tree / "run.sh", (1, 1))
    for cache in ("package/__pycache__", ".pytest_cache", ".hypothesis"):
        (tree / cache).mkdir()
        (tree / cache / "x").touch()
    (tmp_path / "outside").write_text("2")
    assert digest(tree) == before


def test_a_single_file_and_an_absent_path_have_digests(tree: Path) -> None:
    assert snapshot(tree, tree, paths=("run.sh", "nowhere"))["nowhere"] == "absent"
    before = snapshot(tree, tree, paths=("run.sh",))
    (tree / "run.sh").write_text("false\n")
    assert snapshot(tree, tree, paths=("run.sh",)) != before


def test_the_project_is_watched_too_where_the_workspace_is_another_directory(tree: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "elsewhere"
    workspace.mkdir()
    before = snapshot(workspace, tree, paths=("run.sh",))
    assert before["run.sh"] == "absent"
    (tree / "run.sh").write_text("false\n")
    assert snapshot(workspace, tree, paths=("run.sh",)) != before
