"""Rejecting a run brings back what stood there before, from whatever the run made of it, and however often it is cut short."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acceptance.evidence import outputs
from acceptance.evidence.outputs import OUTPUTS, Outputs
from acceptance.objective import Settings
from tests.acceptance.small_disk import mounted

SETTINGS = Settings(name="t", audio="a.wav", manifest="d/m.json", status="s/t.json", checkpoint="c/v.pt")
PATHS = {name: getattr(SETTINGS, name) for name in OUTPUTS}
BEFORE = ("absent", "file", "symlink", "directory")
AFTER = ("untouched", "same", "changed", "deleted", "symlink", "dangling", "directory", "fifo")
states = st.fixed_dictionaries({name: st.tuples(st.sampled_from(BEFORE), st.sampled_from(AFTER)) for name in OUTPUTS})


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it."""


def place(path: Path, kind: str, content: bytes) -> None:
    if kind == "file":
        path.write_bytes(content)
    elif kind in ("symlink", "dangling"):
        path.symlink_to("/dev/null" if kind == "symlink" else "/nonexistent")
    elif kind == "directory":
        path.mkdir()
        (path / "inside").write_bytes(content)
    elif kind == "fifo":
        os.mkfifo(path)


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def picture(workspace: Path) -> dict[str, object]:
    """What stands in the output directories, contents included."""
    found: dict[str, object] = {}
    for path in PATHS.values():
        for entry in sorted((workspace / path).parent.rglob("*")):
            name = str(entry.relative_to(workspace))
            found[name] = (
                os.readlink(entry) if entry.is_symlink() else entry.read_bytes() if entry.is_file() else "directory"
            )
    return found


def prepared(root: Path, state: dict[str, tuple[str, str]]) -> tuple[Path, Path, dict[str, object]]:
    """A workspace after a run: (workspace, run directory, picture from before it)."""
    workspace, run_dir = root / "workspace", root / "run"
    run_dir.mkdir()
    for name, (before, _) in state.items():
        path = workspace / PATHS[name]
        path.parent.mkdir(parents=True)
        place(path, before, f"before {name}".encode())
    pictured = picture(workspace)
    Outputs.keep(SETTINGS, workspace, run_dir)
    for name, (before, after) in state.items():
        path = workspace / PATHS[name]
        if after == "untouched" or (before == "directory" and after != "untouched"):
            continue  # a directory is not copied: it is only left alone
        remove(path)
        if after != "deleted":
            content = f"before {name}" if after == "same" else f"after {name}"
            place(path, "file" if after in ("same", "changed") else after, content.encode())
    return workspace, run_dir, pictured


@settings(max_examples=150)
@given(states)
def test_reject_brings_back_what_stood_there_and_does_so_once(state: dict[str, tuple[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        workspace, run_dir, before = prepared(Path(directory), state)
        restored = outputs.reject(workspace, run_dir)
        assert set(restored) <= {name for name, (was, _) in state.items() if was in ("file", "symlink")}
        now = picture(workspace)
        assert now == before
        assert outputs.reject(workspace, run_dir) == ()
        assert picture(workspace) == before


@pytest.mark.parametrize(
    "state", list(itertools.product(["absent", "file", "symlink"], ["changed", "deleted", "symlink", "directory"]))
)
def test_reject_that_is_killed_at_any_point_is_finished_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: tuple[str, str]
) -> None:
    for point in itertools.count():
        root = tmp_path / str(point)
        root.mkdir()
        workspace, run_dir, before = prepared(root, dict.fromkeys(OUTPUTS, state))
        with monkeypatch.context() as patched:
            calls = kill_at(patched, point)
            with contextlib.suppress(Killed):
                outputs.reject(workspace, run_dir)
        outputs.reject(workspace, run_dir)
        assert {name: entry for name, entry in picture(workspace).items() if not name.endswith(".restoring")} == before
        if len(calls) <= point:
            break
    assert point >= 1


def kill_at(patched: pytest.MonkeyPatch, point: int) -> list[str]:
    """End the process at the n-th change to the disk (before and after it count as two); returns the list that grows with them."""
    calls: list[str] = []

    def wrap(original: Callable[..., object], name: str) -> Callable[..., object]:
        def call(*arguments: object, **options: object) -> object:
            calls.append(f"before {name}")
            if len(calls) > point:
                raise Killed
            result = original(*arguments, **options)
            calls.append(f"after {name}")
            if len(calls) > point:
                raise Killed
            return result

        return call

    patched.setattr(outputs.shutil, "move", wrap(shutil.move, "move"))
    patched.setattr(outputs.shutil, "copyfileobj", wrap(shutil.copyfileobj, "copy"))
    patched.setattr(outputs.os, "replace", wrap(os.replace, "replace"))
    patched.setattr(Path, "rename", wrap(Path.rename, "rename"))
    patched.setattr(Path, "symlink_to", wrap(Path.symlink_to, "link"))
    return calls


def test_what_the_run_wrote_is_kept_as_rejected(tmp_path: Path) -> None:
    workspace, run_dir, _ = prepared(tmp_path, dict.fromkeys(OUTPUTS, ("file", "changed")))
    assert outputs.reject(workspace, run_dir) == ("checkpoint", "manifest", "status")
    assert (run_dir / "rejected/v.pt").read_bytes() == b"after checkpoint"


def test_mode_and_time_come_back_too(tmp_path: Path) -> None:
    target = tmp_path / "workspace/c/v.pt"
    target.parent.mkdir(parents=True)
    target.write_bytes(b"x")
    target.chmod(0o640)
    os.utime(target, ns=(1, 2_000_000_000))
    (tmp_path / "run").mkdir()
    Outputs.keep(SETTINGS, tmp_path / "workspace", tmp_path / "run")
    target.write_bytes(b"y")
    outputs.reject(tmp_path / "workspace", tmp_path / "run")
    assert (target.read_bytes(), target.stat().st_mode & 0o777, target.stat().st_mtime_ns) == (
        b"x",
        0o640,
        2_000_000_000,
    )


@pytest.mark.parametrize("kind", ["link", "directory"])
def test_what_a_job_plants_in_the_way_of_restoring_is_not_followed(tmp_path: Path, kind: str) -> None:
    workspace, run_dir, before = prepared(tmp_path, dict.fromkeys(OUTPUTS, ("file", "changed")))
    recording = tmp_path / "recording.flac"
    recording.write_bytes(b"precious")
    planted = workspace / "c/.v.pt.restoring"
    if kind == "link":
        planted.symlink_to(recording)
    else:
        planted.mkdir()
    outputs.reject(workspace, run_dir)
    assert recording.read_bytes() == b"precious"
    assert picture(workspace) == before


def test_a_directory_that_became_a_link_out_of_the_workspace_is_not_followed(tmp_path: Path) -> None:
    workspace, run_dir, _ = prepared(tmp_path, dict.fromkeys(OUTPUTS, ("file", "untouched")))
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "v.pt").write_bytes(b"not ours")
    shutil.rmtree(workspace / "c")
    (workspace / "c").symlink_to(outside)
    with pytest.raises(OSError, match="leads out of the workspace"):
        outputs.reject(workspace, run_dir)
    assert (outside / "v.pt").read_bytes() == b"not ours"


def test_an_accepted_run_is_never_undone_even_when_cleaning_up_was_cut_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, run_dir, _ = prepared(tmp_path, dict.fromkeys(OUTPUTS, ("file", "changed")))
    now = picture(workspace)
    monkeypatch.setattr(outputs.shutil, "rmtree", lambda *_, **__: None)
    outputs.accept(run_dir)
    assert outputs.reject(workspace, run_dir) == ()
    assert picture(workspace) == now


def test_a_run_that_never_came_to_training_changes_nothing(tmp_path: Path) -> None:
    assert outputs.reject(tmp_path, tmp_path / "run") == ()


@pytest.mark.parametrize(
    ("after", "stale", "new"),
    [
        ("untouched", True, False),
        ("same", False, True),
        ("changed", False, True),
        ("deleted", False, False),
        ("symlink", False, False),
    ],
)
def test_a_file_is_stale_only_when_the_run_did_not_write_it(tmp_path: Path, after: str, stale: bool, new: bool) -> None:
    workspace, run_dir = tmp_path / "workspace", tmp_path / "run"
    run_dir.mkdir()
    target = workspace / PATHS["checkpoint"]
    target.parent.mkdir(parents=True)
    target.write_bytes(b"x")
    kept = Outputs.keep(SETTINGS, workspace, run_dir)
    if after != "untouched":
        target.rename(target.with_name("old"))
        place(target, "file" if after in ("same", "changed") else after, b"x" if after == "same" else b"y")
    assert (kept.is_stale("checkpoint"), kept.is_new("checkpoint")) == (stale, new)


def test_retired_copies_are_never_restored_and_stay_where_they_are(tmp_path: Path) -> None:
    workspace, run_dir, _ = prepared(tmp_path, dict.fromkeys(OUTPUTS, ("file", "changed")))
    now, kept = picture(workspace), outputs.kept_paths(run_dir)
    assert kept == frozenset(PATHS.values())
    outputs.retire(run_dir, kept | {"another/output"})
    assert outputs.kept_paths(run_dir) == frozenset()
    assert outputs.reject(workspace, run_dir) == ()
    assert picture(workspace) == now
    assert (run_dir / "previous/checkpoint").read_bytes() == b"before checkpoint"


def test_only_what_a_later_success_replaced_is_retired(tmp_path: Path) -> None:
    workspace, run_dir, before = prepared(tmp_path, dict.fromkeys(OUTPUTS, ("file", "changed")))
    outputs.retire(run_dir, frozenset({"another/output"}))
    assert outputs.kept_paths(run_dir) == frozenset(PATHS.values())
    outputs.retire(run_dir, frozenset({PATHS["manifest"]}))
    assert outputs.reject(workspace, run_dir) == ("checkpoint", "status")
    assert picture(workspace) == before | {PATHS["manifest"]: b"after manifest"}


@pytest.mark.parametrize("text", ["", "[]", '{"manifest": 3}', '{"manifest": {"path": "d/m.json"}}'])
def test_an_index_that_is_none_keeps_nothing_and_undoes_nothing(tmp_path: Path, text: str) -> None:
    workspace, run_dir, _ = prepared(tmp_path, dict.fromkeys(OUTPUTS, ("file", "changed")))
    (run_dir / "previous/index.json").write_text(text)
    now = picture(workspace)
    assert outputs.kept_paths(run_dir) == frozenset()
    outputs.retire(run_dir, frozenset(PATHS.values()))
    with pytest.raises(ValueError, match=r"Expecting value|not an index"):
        outputs.reject(workspace, run_dir)
    assert picture(workspace) == now


def test_of_several_dead_runs_the_oldest_copies_win_when_the_newest_is_undone_first(tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    target = workspace / PATHS["checkpoint"]
    target.parent.mkdir(parents=True)
    target.write_bytes(b"good")
    runs = [tmp_path / name for name in ("a", "b", "c")]
    for run_dir in runs:
        run_dir.mkdir()
        Outputs.keep(SETTINGS, workspace, run_dir)
        target.write_bytes(f"left by {run_dir.name}".encode())
    for run_dir in reversed(runs):
        outputs.reject(workspace, run_dir)
    assert target.read_bytes() == b"good"
    assert [(run_dir / "rejected/v.pt").read_bytes() for run_dir in runs] == [b"left by a", b"left by b", b"left by c"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 512 KiB and 40 inodes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    with mounted(disk, "size=512k,nr_inodes=40"):
        yield disk


def fill(disk: Path, resource: str) -> None:
    with contextlib.suppress(OSError):
        if resource == "space":
            (disk / "filler").write_bytes(bytes(2**20))
        for number in range(100 if resource == "inodes" else 0):
            (disk / f"filler{number}").touch()


@pytest.mark.parametrize("resource", ["space", "inodes"])
def test_the_previous_files_return_by_rename_to_a_full_disk(small_disk: Path, resource: str) -> None:
    workspace, run_dir, _ = prepared(small_disk, dict.fromkeys(OUTPUTS, ("file", "changed")))
    inodes = {name: (run_dir / "previous" / name).stat().st_ino for name in OUTPUTS}
    fill(small_disk, resource)
    assert set(outputs.reject(workspace, run_dir)) == set(OUTPUTS)
    for name, path in PATHS.items():
        assert (workspace / path).read_bytes() == f"before {name}".encode()
        assert (workspace / path).stat().st_ino == inodes[name]


@pytest.mark.parametrize("mode", [0o000, 0o500, 0o200, 0o600])
def test_the_previous_files_return_to_folders_that_a_job_closed(tmp_path: Path, mode: int) -> None:
    """As a user without root's powers, in a process of its own."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to become another user")
    directory = Path(tempfile.mkdtemp(prefix="acceptance-closed-"))
    workspace, run_dir, before = prepared(directory, dict.fromkeys(OUTPUTS, ("file", "changed")))
    for path in (directory, *directory.rglob("*")):
        os.chown(path, 65534, 65534)
    for path in PATHS.values():
        (workspace / path).parent.chmod(mode)
    child = os.fork()
    if child == 0:
        os.setgid(65534)
        os.setuid(65534)
        os._exit(0 if set(outputs.reject(workspace, run_dir)) == set(OUTPUTS) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert picture(workspace) == before
    shutil.rmtree(directory)
