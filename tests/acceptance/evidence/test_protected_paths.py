"""The digest of a protected path sees every change that matters and none that does not."""

from __future__ import annotations

import importlib.util
import marshal
import os
import py_compile
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from acceptance.evidence.protected_paths import changed, digest, remove_bytecode, snapshot


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
    "file becomes link": lambda root: (
        (root / "run.sh").rename(root.parent / "away"),
        (root / "run.sh").symlink_to("../away"),
    ),
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
    for cache in (".pytest_cache", ".hypothesis"):
        (tree / cache).mkdir()
        (tree / cache / "x").touch()
    (tree / "package/__pycache__").mkdir()
    (tree / "package/__pycache__/code.cpython-311.pyc.140234").touch()
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


def cached(tree: Path) -> Path:
    """Import the tree's module, as any process may; where its bytecode lies."""
    return Path(py_compile.compile(str(tree / "package/code.py"), doraise=True))


def with_code(file: Path, text: str, *, header: bytes | None = None) -> None:
    """Put other code behind the header that makes Python load it."""
    start = file.read_bytes()[:16] if header is None else header
    file.write_bytes(start + marshal.dumps(compile(text, "code.py", "exec")))


PLANTED: dict[str, Callable[[Path], object]] = {
    "other code": lambda file: with_code(file, "x = 666"),
    "the same code and never checked again": lambda file: with_code(
        file, "x = 1\n", header=importlib.util.MAGIC_NUMBER + b"\1" + bytes(11)
    ),
    "no code": lambda file: file.write_bytes(file.read_bytes()[:16] + marshal.dumps("x = 1")),
    "bytes that crash the reader": lambda file: file.write_bytes(file.read_bytes()[:16] + b"\xa9\xff\xff\xff" * 1000),
    "empty": lambda file: file.write_bytes(b""),
    "for another Python": lambda file: file.rename(file.with_name("code.cpython-399.pyc")),
    "of no source": lambda file: shutil.copy(file, file.with_name("other.cpython-311.pyc")),
    "a link": lambda file: (file.rename(file.parents[3] / "away.pyc"), file.symlink_to(file.parents[3] / "away.pyc")),
    "not bytecode": lambda file: file.with_name("code.py").write_text("x = 666"),
}


@pytest.mark.parametrize("name", PLANTED)
@pytest.mark.parametrize("there_before", [True, False])
def test_planted_bytecode_is_a_change_and_named(tree: Path, name: str, there_before: bool) -> None:
    paths = ("tree",)
    before = snapshot(tree.parent, tree.parent, paths=paths)
    if there_before:
        cached(tree)
        before = snapshot(tree.parent, tree.parent, paths=paths)
    PLANTED[name](cached(tree))
    found = changed(before, tree.parent, tree.parent, paths=paths)
    assert found
    assert (
        found[0] == "tree"
        if name in ("a link", "not bytecode")
        else all(one.startswith("tree/package/__pycache__/") for one in found)
    )


@pytest.mark.parametrize("name", [name for name in PLANTED if name not in ("a link", "not bytecode")])
@pytest.mark.parametrize("there_before", [True, False])
def test_bytecode_that_is_not_that_of_before_is_removed_and_then_no_change(
    tree: Path, name: str, there_before: bool
) -> None:
    kept = tree / f"package/__pycache__/kept.{sys.implementation.cache_tag}.pyc"
    kept.parent.mkdir()
    kept.write_bytes(b"as it was")
    if there_before:
        cached(tree)
    before = snapshot(tree.parent, tree.parent, paths=("tree",))
    PLANTED[name](cached(tree))
    planted = changed(before, tree.parent, tree.parent, paths=("tree",))
    assert planted and remove_bytecode(before, tree.parent, tree.parent, paths=("tree",)) == planted
    assert changed(before, tree.parent, tree.parent, paths=("tree",)) == []
    assert kept.read_bytes() == b"as it was"
    subprocess.run([sys.executable, "-c", "import package.code as it; assert it.x == 1"], cwd=tree, check=True)


def test_bytecode_that_is_gone_is_no_change(tree: Path) -> None:
    cached(tree)
    before = snapshot(tree.parent, tree.parent, paths=("tree",))
    shutil.rmtree(tree / "package/__pycache__")
    assert changed(before, tree.parent, tree.parent, paths=("tree",)) == []


def test_changed_bytecode_of_a_changed_source_names_both(tree: Path) -> None:
    cached(tree)
    before = snapshot(tree.parent, tree.parent, paths=("tree",))
    (tree / "package/code.py").write_text("x = 3\n")
    with_code(cached(tree), "x = 4")
    assert changed(before, tree.parent, tree.parent, paths=("tree",)) == [
        "tree",
        f"tree/package/__pycache__/code.{sys.implementation.cache_tag}.pyc",
    ]
