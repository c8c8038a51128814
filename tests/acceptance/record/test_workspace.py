"""The workspace: one session at a time, a directory per run, and runs that never finished are found."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from acceptance.objective import PROJECT_ROOT
from acceptance.record import workspace
from acceptance.record.journal import Journal
from tests.acceptance.records import session_started


def make_run(root: Path, run_id: str, *, finished: bool) -> Path:
    directory = workspace.make_run_dir(root, run_id)
    journal = Journal(directory / workspace.JOURNAL)
    journal.append(session_started(run_id))
    if finished:
        journal.append({"event": "session_finished", "exit_status": 0})
    journal.close()
    return directory


def test_a_locked_workspace_names_the_process_and_is_free_when_it_ends(tmp_path: Path) -> None:
    script = f"import sys, time; sys.path.insert(0, {str(PROJECT_ROOT)!r}); from pathlib import Path; from acceptance.record import workspace\n"
    script += f"held = workspace.lock(Path({str(tmp_path)!r})); print('held', flush=True); time.sleep(60)"
    holder = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(workspace.WorkspaceBusy, match=rf"\(process {holder.pid}\)"):
            workspace.lock(tmp_path)
    finally:
        holder.kill()
        holder.communicate()
    workspace.lock(tmp_path).release()


def test_only_the_newest_run_is_live_and_only_while_the_lock_is_held(tmp_path: Path) -> None:
    killed, running = "20260101T000000Z-aaaaaa", "20260102T000000Z-bbbbbb"
    assert not workspace.is_live(tmp_path, killed)
    for run_id in (killed, running):
        make_run(tmp_path, run_id, finished=False)
    assert not workspace.is_live(tmp_path, running)
    assert not (tmp_path / "artifacts/.lock").exists()
    held = workspace.lock(tmp_path)
    (tmp_path / "artifacts/.owner").write_text("process 1\n")
    assert (workspace.is_live(tmp_path, killed), workspace.is_live(tmp_path, running)) == (False, True)
    held.release()
    assert not workspace.is_live(tmp_path, running)
    assert (tmp_path / "artifacts/.owner").read_text() == "process 1\n", "asking changes nothing"


def test_a_session_that_starts_while_another_process_asks_is_not_refused(tmp_path: Path) -> None:
    make_run(tmp_path, "20260101T000000Z-aaaaaa", finished=False)
    workspace.lock(tmp_path).release()
    with (tmp_path / "artifacts/.lock").open("rb") as asking:
        fcntl.flock(asking, fcntl.LOCK_SH)
        threading.Timer(0.3, fcntl.flock, (asking, fcntl.LOCK_UN)).start()
        workspace.lock(tmp_path).release()


def test_the_newest_run_is_the_latest(tmp_path: Path) -> None:
    first, second = (
        make_run(tmp_path, "20260101T000000Z-aaaaaa", finished=True),
        make_run(tmp_path, "20260102T000000Z-bbbbbb", finished=False),
    )
    assert (tmp_path / workspace.LATEST).resolve() == second.resolve()
    assert workspace.find_run(tmp_path, None) == second
    assert workspace.find_run(tmp_path, first.name) == first
    assert workspace.run_dirs(tmp_path) == [first, second]


def test_a_run_that_is_not_there_is_told_which_are(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="known: none"):
        workspace.find_run(tmp_path, None)
    make_run(tmp_path, "20260101T000000Z-aaaaaa", finished=True)
    with pytest.raises(FileNotFoundError, match=r"no journal of run 'nope' .* known: 20260101T000000Z-aaaaaa"):
        workspace.find_run(tmp_path, "nope")


def test_runs_that_began_in_the_same_second_are_ordered_by_their_own_time(tmp_path: Path) -> None:
    for run_id, began in (("20260101T000000Z-bbbbbb", 1.25), ("20260101T000000Z-aaaaaa", 1.75)):
        journal = Journal(workspace.make_run_dir(tmp_path, run_id) / workspace.JOURNAL)
        journal.append(session_started(run_id) | {"time": began})
        journal.close()
    found = [directory.name[-6:] for directory, _ in workspace.unfinished_runs(tmp_path, besides="")]
    assert found == ["bbbbbb", "aaaaaa"]


def test_only_other_runs_without_an_end_are_unfinished(tmp_path: Path) -> None:
    make_run(tmp_path, "20260101T000000Z-aaaaaa", finished=True)
    killed = make_run(tmp_path, "20260102T000000Z-bbbbbb", finished=False)
    broken = make_run(tmp_path, "20260103T000000Z-cccccc", finished=False)
    with (broken / workspace.JOURNAL).open("ab") as file:
        file.write(b'nonsense\n{"event": "session_finished", "exit_status": 0}\n')
    make_run(tmp_path, "20260104T000000Z-dddddd", finished=False)
    found = workspace.unfinished_runs(tmp_path, besides="20260104T000000Z-dddddd")
    assert [directory for directory, _ in found] == [killed, broken], "what stands behind damage proves no end"
    assert found[1][1].run_id == broken.name


def test_run_ids_sort_by_time_and_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = []
    for second in (1, 1_700_000_000, 1_700_000_001):
        monkeypatch.setattr(workspace.time, "gmtime", lambda second=second: time.localtime(second))
        ids += [workspace.new_run_id(), workspace.new_run_id()]
    assert len(set(ids)) == 6
    assert [name.partition("-")[0] for name in ids] == sorted(name.partition("-")[0] for name in ids)


def test_a_directory_that_cannot_be_written_is_an_error_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "artifacts").write_text("in the way")
    with pytest.raises(OSError, match="artifacts"):
        workspace.lock(tmp_path)
    fallback = workspace.fallback_run_dir()
    assert os.listdir(fallback) == []
    fallback.rmdir()


def keep_index(directory: Path, path: str = "c/v.pt") -> None:
    """A run that still keeps what it could not restore."""
    (directory / "previous").mkdir()
    (directory / "previous/index.json").write_text(json.dumps({"checkpoint": {"path": path, "stamp": None}}))


def test_a_run_with_an_end_that_still_keeps_outputs_is_settled_again(tmp_path: Path) -> None:
    make_run(tmp_path, "20260101T000000Z-aaaaaa", finished=True)
    kept = make_run(tmp_path, "20260102T000000Z-bbbbbb", finished=True)
    keep_index(kept)
    assert [directory for directory, _ in workspace.unfinished_runs(tmp_path, besides="")] == [kept]


def test_a_run_whose_outputs_a_later_one_replaced_in_success_is_not_settled_again(tmp_path: Path) -> None:
    keep_index(make_run(tmp_path, "20260101T000000Z-aaaaaa", finished=True))
    later = make_run(tmp_path, "20260102T000000Z-bbbbbb", finished=False)
    journal = Journal(later / workspace.JOURNAL)
    journal.append({"event": "session_started", "run_id": later.name, "settings": {"checkpoint": "c/v.pt"}})
    journal.append({"event": "session_finished", "exit_status": 0})
    journal.close()
    assert workspace.unfinished_runs(tmp_path, besides="") == []
