"""What goes to another machine and what comes back from it: plain files only, of bounded size, all of it or nothing."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from acceptance.failure import EnvironmentBlocked, TrainFailed
from acceptance.runtimes.docker import archive
from acceptance.runtimes.docker.archive import Returning, Sending
from acceptance.runtimes.docker.client import is_elsewhere


def member(
    name: str, data: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = ""
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, len(data), link
    return info, data


def packed(*members: tuple[tarfile.TarInfo, bytes]) -> list[bytes]:
    """A tar in pieces that end anywhere."""
    buffer = io.BytesIO()
    with tarfile.open(mode="w", fileobj=buffer) as tar:
        for info, data in members:
            tar.addfile(info, io.BytesIO(data))
    whole = buffer.getvalue()
    return [whole[start : start + 700] for start in range(0, len(whole), 700)]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "w/out/status").mkdir(parents=True)
    (tmp_path / "w/out/status/old").write_text("old")
    (tmp_path / "staging").mkdir()
    return tmp_path / "w"


def sending(workspace: Path, *paths: str) -> Sending:
    return Sending(workspace=workspace, paths=paths, folders=["out/status"], uid=1234, gid=5678)


def returning(workspace: Path, sent: Sending, max_bytes: int = 10_000) -> Returning:
    return Returning(workspace=workspace, staging=workspace.parent / "staging", sending=sent, max_bytes=max_bytes)


ROOT = member("status", kind=tarfile.DIRTYPE)


@pytest.mark.parametrize(
    ("hostile", "reason"),
    [
        (member("status/../../escaped", b"x"), "its name leads out"),
        (member("/status/escaped", b"x"), "its name leads out"),
        (member("other/escaped", b"x"), "its name leads out"),
        (member("status/./escaped", b"x"), "its name leads out"),
        (member("status/l", kind=tarfile.SYMTYPE, link="/etc"), "a symbolic link"),
        (member("status/l", kind=tarfile.LNKTYPE, link="status/a"), "a second name"),
        (member("status/c", kind=tarfile.CHRTYPE), "a device"),
        (member("status/b", kind=tarfile.BLKTYPE), "a device"),
        (member("status/f", kind=tarfile.FIFOTYPE), "a FIFO"),
        (member("status/s", kind=b"V"), "no plain file"),
        (member("status/a", b"again"), "it comes twice"),
        (member("status/huge", bytes(10_001)), "10000 are copied back at most"),
    ],
)  # fmt: skip
def test_a_hostile_member_is_refused_and_nothing_is_written(
    workspace: Path, hostile: tuple[tarfile.TarInfo, bytes], reason: str
) -> None:
    sent = sending(workspace)
    list(sent)
    before = sorted(os.walk(workspace))
    with pytest.raises(TrainFailed, match=reason) as raised:
        returning(workspace, sent).read("out/status", packed(ROOT, member("status/a", b"good"), hostile))
    assert raised.value.cause == "output_refused"
    assert sorted(os.walk(workspace)) == before
    assert not (workspace.parent / "escaped").exists()


def test_too_many_members_are_refused(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = sending(workspace)
    list(sent)
    monkeypatch.setattr(archive, "MAX_MEMBERS", 3)
    with pytest.raises(TrainFailed, match="more than 3 files"):
        returning(workspace, sent).read("out/status", packed(ROOT, *(member(f"status/{n}") for n in range(3))))


@pytest.mark.parametrize("kept", [0, 300, 512, 1024, 3000])
def test_a_stream_that_ends_early_is_no_end_of_the_outputs(workspace: Path, kept: int) -> None:
    sent = sending(workspace)
    list(sent)
    whole = b"".join(packed(ROOT, member("status/a", b"x" * 5000)))
    with pytest.raises(EnvironmentBlocked) as raised:
        returning(workspace, sent).read("out/status", [whole[:kept]])
    assert raised.value.cause == "engine_lost"


def test_files_that_the_job_wrote_left_alone_and_removed_are_told_apart(workspace: Path) -> None:
    (workspace / "out/status/kept").write_text("kept")
    (workspace / "out/status/again").write_text("again")
    (workspace / "out/status/folder").mkdir()
    sent = sending(workspace)
    with tarfile.open(fileobj=io.BytesIO(b"".join(sent))) as tar:
        kept, again = (tar.getmember(f"out/status/{name}") for name in ("kept", "again"))
        assert (kept.uid, kept.gid) == (1234, 5678)
    kept.name, again.name, again.mtime = "status/kept", "status/again", again.mtime + 1
    before = (workspace / "out/status/kept").stat()
    back = returning(workspace, sent)
    back.read("out/status", packed(ROOT, (kept, b"kept"), (again, b"again"), member("status/new/deep", b"new")))
    back.folders.add("out/status/new")
    back.settle()
    after = {path.name: path for path in (workspace / "out/status").rglob("*")}
    assert set(after) == {"kept", "again", "new", "deep"}
    assert (after["kept"].stat().st_ino, after["kept"].stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert after["again"].stat().st_mtime_ns != before.st_mtime_ns
    assert after["deep"].read_text() == "new"


@pytest.mark.parametrize("kind", ["link", "linked folder", "fifo", "absent"])
def test_what_is_no_plain_file_is_not_sent(workspace: Path, kind: str) -> None:
    (workspace / "real").mkdir()
    (workspace / "real/in").write_text("x")
    (workspace / "data").symlink_to("real") if kind == "linked folder" else (workspace / "data").mkdir()
    if kind == "link":
        (workspace / "data/in").symlink_to("../real/in")
    elif kind == "fifo":
        os.mkfifo(workspace / "data/in")
    with pytest.raises(EnvironmentBlocked) as raised:
        list(sending(workspace, "data/in"))
    assert raised.value.cause == "input_not_sendable"
    assert "data" in raised.value.message


def test_runs_and_the_repository_are_not_sent_with_the_folder_around_them(workspace: Path) -> None:
    for folder in (".git", "artifacts/runs", "artifacts/demo"):
        (workspace / folder).mkdir(parents=True)
        (workspace / folder / "x").write_text("x")
    sent = sending(workspace, "artifacts", ".git")
    list(sent)
    assert set(sent.sent) == {"out/status/old", "artifacts/demo/x"}


@pytest.mark.parametrize(
    ("host", "elsewhere"),
    [
        ("unix:///var/run/docker.sock", False),
        ("tcp://localhost:2375", False),
        ("tcp://127.0.0.1:2375", False),
        ("tcp://[::1]:2375", False),
        ("tcp://192.0.2.7:2376", True),
        ("ssh://user@192.0.2.7", True),
        ("ssh://user@localhost", False),
        ("ssh://name-that-only-ssh-knows.invalid", True),
    ],
)
def test_an_engine_on_another_machine_is_known_by_its_address(host: str, elsewhere: bool) -> None:
    assert is_elsewhere(host) is elsewhere
