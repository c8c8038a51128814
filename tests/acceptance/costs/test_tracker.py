"""The log is written by whoever works: signs of life while it does, a stop whatever ends it, and never at the cost of the work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from acceptance.costs import totals, tracker, watch
from acceptance.costs.events import About, Made
from acceptance.costs.totals import ABANDONED, OPEN, STOPPED

ABOUT = About(
    activity="training", rate=3_600_000_000, heartbeat_s=1
)  # a thousandth of a dollar each millisecond: every millisecond shows
WORKER = """
import sys, time
from pathlib import Path
from acceptance.costs import tracker
from acceptance.costs.events import About
with tracker.tracked(Path(sys.argv[1]), About(activity="training", rate=1, heartbeat_s=1), warn=print):
    print("started", flush=True)
    time.sleep(60)
"""


def warned(message: str) -> None:
    pytest.fail(message)


def test_a_block_is_priced_from_its_begin_to_its_end(tmp_path: Path) -> None:
    before = time.monotonic()
    with tracker.tracked(tmp_path / "log.jsonl", ABOUT, warn=warned) as tally:
        time.sleep(0.2)
        tally.made = Made(approved=3)
    spent = time.monotonic() - before
    (session,) = tracker.read(tmp_path / "log.jsonl").sessions
    assert session.state == STOPPED and session.made == Made(approved=3)
    assert 0.2 <= session.paid_ms / 1000 <= spent + 0.002
    assert session.cost == 1000 * session.paid_ms


def test_a_block_that_raises_is_stopped_all_the_same(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), tracker.tracked(tmp_path / "log.jsonl", ABOUT, warn=warned):
        raise KeyboardInterrupt
    assert [one.state for one in tracker.read(tmp_path / "log.jsonl").sessions] == [STOPPED]


def test_a_log_that_cannot_be_written_is_told_once_and_costs_the_work_nothing(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").mkdir()
    told: list[str] = []
    with tracker.tracked(tmp_path / "log.jsonl", ABOUT, warn=told.append):
        worked = True
    assert worked and len(told) == 1 and "costs are not tracked" in told[0]


def test_signs_of_life_that_cannot_be_written_are_told_once(tmp_path: Path) -> None:
    log, told = tmp_path / "log.jsonl", list[str]()
    with tracker.tracked(log, ABOUT, warn=told.append):
        log.rename(tmp_path / "away.jsonl")
        log.mkdir()
        time.sleep(2.3)
        log.rmdir()
        (tmp_path / "away.jsonl").rename(log)
    assert len(told) == 1 and told[0].startswith("2 signs of life of training are not written")
    assert [one.state for one in tracker.read(log).sessions] == [STOPPED]


def test_a_machine_that_two_logs_name_is_paid_once(tmp_path: Path) -> None:
    logs = [tmp_path / "first.jsonl", tmp_path / "second.jsonl"]
    before = time.monotonic_ns()
    with tracker.tracked(logs[0], ABOUT, warn=warned), tracker.tracked(logs[1], ABOUT, warn=warned):
        time.sleep(0.3)
    spent_ms = (time.monotonic_ns() - before) / 1e6
    each = [tracker.read(log).sessions[0].paid_ms for log in logs]
    together = tracker.read(*logs)
    assert min(each) >= 300 and len(together.sessions) == 2
    assert max(each) <= sum(one.paid_ms for one in together.sessions) <= spent_ms + 2


def test_a_copy_of_a_log_adds_nothing_and_is_told(tmp_path: Path) -> None:
    log, copy = tmp_path / "log.jsonl", tmp_path / "copy.jsonl"
    tracker.stop(log, tracker.start(log, ABOUT), Made(approved=3))
    copy.write_bytes(log.read_bytes())
    found = tracker.read(log, copy)
    assert found.sessions == tracker.read(log).sessions and "started twice" in found.notices[0]


@pytest.mark.long
def test_a_killed_worker_is_priced_to_its_last_sign_of_life(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    with subprocess.Popen([sys.executable, "-c", WORKER, str(log)], stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None and worker.stdout.readline() == "started\n"
        before = time.monotonic()
        time.sleep(2.5)
        worker.send_signal(signal.SIGKILL)
        lived = time.monotonic() - before
    (session,) = tracker.read(log).sessions
    assert session.state == OPEN  # its silence is still short
    assert lived - 1.5 <= session.paid_ms / 1000 <= lived + 0.5
    time.sleep(totals.PATIENCE + 0.5)
    assert [one.state for one in tracker.read(log).sessions] == [ABANDONED]


def test_the_watcher_of_a_session_ends_with_its_stop(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    session = tracker.start(log, ABOUT)
    tracker.stop(log, session)
    begun = time.monotonic()
    watch.watch(log, session, every_s=1, most_hours=1)
    assert time.monotonic() - begun < 3
    assert len(log.read_bytes().splitlines()) == 2


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b'{"schema": "other/1"}', "schema"),
        (b'{"schema": "cost_event/1", "event": "stop", "session": "a"}', "missing"),
        (b"nonsense", "JSON"),
    ],
)
def test_a_foreign_line_is_named_and_hides_no_other(tmp_path: Path, line: bytes, problem: str) -> None:
    log = tmp_path / "log.jsonl"
    tracker.stop(log, tracker.start(log, ABOUT))
    log.write_bytes(log.read_bytes() + line + b"\n")
    tracker.stop(log, tracker.start(log, ABOUT))
    found = tracker.read(log)
    assert len(found.sessions) == 2
    # The next writer sets a line that is no JSON aside; one of another kind stays and is named.
    assert problem == "JSON" or (len(found.notices) == 1 and ":3 " in found.notices[0] and problem in found.notices[0])


@pytest.mark.parametrize("change", [{"rate": -1}, {"rate": 10**13}, {"heartbeat_s": 0}])
def test_an_impossible_price_is_left_out_by_name(tmp_path: Path, change: dict[str, int]) -> None:
    log = tmp_path / "log.jsonl"
    tracker.start(log, About(**{"activity": "a", "rate": 1, "heartbeat_s": 1, **change}))
    found = tracker.read(log)
    assert found.sessions == () and "impossible" in found.notices[0]


def test_a_stop_of_an_earlier_version_holds_and_one_that_made_too_much_does_not(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    for made in ({"approved": 3, "promoted": 0}, {"approved": 10**25, "promoted": 0}):
        tracker.stop(log, tracker.start(log, ABOUT), Made(**made))
    old = log.read_text().replace(',"of":null', "")
    assert "of" not in old.partition('"made":')[2].partition("}")[0]
    log.write_text(old)
    found = tracker.read(log)
    assert [one.made for one in found.sessions] == [Made(approved=3), None] and len(found.notices) == 1


def test_two_machines_write_one_log(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    workers = [
        subprocess.Popen([sys.executable, "-c", WORKER, str(log)], stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for worker in workers:
        assert worker.stdout is not None and worker.stdout.readline() == "started\n"
    for worker in workers:
        os.kill(worker.pid, signal.SIGINT)
        worker.communicate(timeout=20)
    assert [one.state for one in tracker.read(log).sessions] == [STOPPED, STOPPED]
