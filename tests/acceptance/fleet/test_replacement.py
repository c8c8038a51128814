"""A workspace that a machine sent back takes the place of the former one: all of it, or nothing, whatever is killed or full."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from acceptance.fleet import ray_engine, remote, replacement, rows
from acceptance.fleet.member_workspace import MemberWorkspace
from acceptance.fleet.members import find
from acceptance.fleet.session_options import SessionOptions
from acceptance.objective import PROJECT_ROOT
from tests.acceptance.fleet import folders

KILLED = """
import os, signal, sys
from pathlib import Path
from acceptance.fleet import replacement

def make(folder):
    folder.mkdir()
    (folder / "run").write_text("new")

steps = int(sys.argv[2])
rename = Path.rename

def killed(self, target):
    global steps
    if steps == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    steps -= 1
    return rename(self, target)

Path.rename = killed
replacement.replace(Path(sys.argv[1]), make)
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    path = tmp_path / "amy"
    path.mkdir()
    (path / "run").write_text("old")
    return path


def new(folder: Path) -> None:
    folder.mkdir()
    (folder / "run").write_text("new")


def test_the_new_one_takes_the_place_and_nothing_else_is_left(workspace: Path) -> None:
    replacement.replace(workspace, new)
    assert (workspace / "run").read_text() == "new"
    assert list(workspace.parent.iterdir()) == [workspace]


@pytest.mark.parametrize(("renames", "expected"), [(0, "old"), (1, "new")])
def test_a_kill_between_two_steps_leaves_a_whole_one_that_comes_back(
    workspace: Path, renames: int, expected: str
) -> None:
    ended = subprocess.run([sys.executable, "-c", KILLED, str(workspace), str(renames)], cwd=PROJECT_ROOT, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert workspace.exists() == (renames == 0)
    replacement.recover(workspace)
    assert (workspace / "run").read_text() == expected
    assert list(workspace.parent.iterdir()) == [workspace]


def test_the_former_one_alone_comes_back(workspace: Path) -> None:
    workspace.rename(workspace.with_name(".amy.old"))
    replacement.recover(workspace)
    assert (workspace / "run").read_text() == "old"


def test_a_new_one_that_cannot_be_made_changes_nothing(workspace: Path) -> None:
    def full(folder: Path) -> None:
        new(folder)
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        replacement.replace(workspace, full)
    assert (workspace / "run").read_text() == "old"
    assert list(workspace.parent.iterdir()) == [workspace]


@pytest.fixture
def member(kit: Path, tmp_path: Path) -> MemberWorkspace:
    folder = tmp_path / "folder"
    folders.add(folder, "amy", kit)
    (found,) = find(folder, SessionOptions())
    workspace = MemberWorkspace(member=found, path=tmp_path / "output/amy")
    workspace.fill(SessionOptions())
    (workspace.path / "artifacts/runs/1").mkdir(parents=True)
    return workspace


def test_a_resumed_fleet_brings_the_earlier_runs_back(member: MemberWorkspace) -> None:
    member.path.rename(member.path.with_name(".amy.old"))
    new(member.path.with_name(".amy.new"))
    (member.path.with_name(".amy.new") / "artifacts/runs/2").mkdir(parents=True)
    member.fill(SessionOptions())
    assert [path.name for path in (member.path / "artifacts/runs").iterdir()] == ["2"]
    assert list(member.path.parent.iterdir()) == [member.path]


def collected(member: MemberWorkspace, archive: bytes) -> Any:
    """What the engine makes of an archive that came back."""
    killed: list[object] = []
    ray = SimpleNamespace(get=lambda answer: answer, kill=killed.append)
    actor = SimpleNamespace(packed=SimpleNamespace(remote=lambda: archive))
    cluster = ray_engine._Cluster(ray=ray, address="here", jobs=None, options=SessionOptions())
    found = cluster._collected(ray_engine._Running(workspace=member, actor=actor, cores=1, losses=0), 0)
    assert killed == [actor]
    return found


def test_what_came_back_is_used(member: MemberWorkspace) -> None:
    assert collected(member, remote.pack(member.path)) == 0
    assert (member.path / "artifacts/runs/1").is_dir()


@pytest.mark.parametrize(
    ("number", "cause", "step"),
    [(errno.ENOSPC, "disk_full", "free space there"), (errno.EROFS, "output_not_writable", "see that it can be")],
)
def test_a_full_disk_is_a_blocked_row_and_the_former_workspace_stays(
    member: MemberWorkspace, monkeypatch: pytest.MonkeyPatch, number: int, cause: str, step: str
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(remote, "unpack", full)
    error = collected(member, b"")
    row = rows.lost(member, error, "voice fleet folder --resume")
    assert (row.verdict, row.cause, row.run) == ("blocked", cause, None)
    assert step in row.action and row.action.endswith(", then go on: voice fleet folder --resume")
    assert (member.path / "artifacts/runs/1").is_dir()


def test_an_archive_that_leads_out_is_a_blocked_row(member: MemberWorkspace, tmp_path: Path) -> None:
    (member.path / "out").symlink_to(tmp_path)
    error = collected(member, remote.pack(member.path))
    assert error.cause == "node_lost" and "is not used" in str(error)
    assert (member.path / "artifacts/runs/1").is_dir()
