"""The log tee and the supervision loop, without any engine."""

from __future__ import annotations

import io
import os
import signal
import threading
import time
import tracemalloc
from pathlib import Path

import pytest

from acceptance.runtimes import supervision
from acceptance.runtimes.engine_errors import EngineGone
from acceptance.runtimes.signals import uninterrupted
from acceptance.runtimes.stream import MAX_LINE_BYTES, WATCHED_LINES_PER_S, GuardedSink, LogTee
from acceptance.runtimes.supervision import Exit
from acceptance.session.live import TrainProgress


def collected(tee):
    lines = []
    while tee.deliver(lines.append, 0):
        pass
    return lines


@pytest.fixture
def tee(tmp_path):
    made = LogTee(tmp_path / "log", 10_000_000)
    yield made
    made.unwatch()
    made.end()


def test_lines_are_whole_however_the_bytes_are_cut(tee):
    text = "erste Zeile\nzweite: ünïcødé 声\r\n\nlast without newline".encode()
    for position in range(len(text)):
        tee.feed(text[position : position + 1])
    tee.end()
    assert collected(tee) == ["erste Zeile", "zweite: ünïcødé 声", "", "last without newline"]
    assert tee.path.read_bytes() == text


def test_an_endless_line_is_delivered_in_pieces_that_lose_nothing(tee):
    tee.feed(b"x" * (3 * MAX_LINE_BYTES + 5))
    tee.end()
    lines = collected(tee)
    assert [len(line) for line in lines] == [MAX_LINE_BYTES] * 3 + [5]


def test_a_stream_of_exactly_the_limit_is_not_said_to_be_cut(tmp_path):
    tee = LogTee(tmp_path / "log", 10)
    tee.feed(b"123456789\n")
    tee.end()
    assert (tmp_path / "log").read_bytes() == b"123456789\n"


def test_beyond_the_limit_only_a_line_says_so(tmp_path):
    tee = LogTee(tmp_path / "log", 10)
    for _ in range(100):
        tee.feed(b"1234567\n")
    tee.end()
    assert (tmp_path / "log").read_bytes() == b"1234567\n12\n[log cut here: more than 10 bytes]\n"
    assert len(tee.tail()) == 100


@pytest.mark.long
def test_memory_stays_bounded_when_nobody_watches(tmp_path):
    tee = LogTee(tmp_path / "log", 1000)
    tee.unwatch()
    tracemalloc.start()
    for _ in range(400):
        tee.feed(b"\xff" * 500_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    tee.end()
    assert peak < 30_000_000


def test_a_slow_watcher_slows_the_feeder_instead_of_filling_memory(tee):
    def feed():
        for _ in range(2000):
            tee.feed(b"x\n" * 1000)
        tee.end()

    thread = threading.Thread(target=feed)
    thread.start()
    time.sleep(0.5)
    assert tee.bytes_seen < 1_000_000
    count = 0
    while not tee.ended.is_set() or count < 2_000_000:
        lines = []
        tee.deliver(lines.append, 0.1)
        count += len(lines)
    thread.join()
    assert count == 2_000_000


def test_a_full_disk_ends_the_file_but_not_the_stream():
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    tee = LogTee(Path("/dev/full"), 1000)
    tee.feed(b"one\ntwo\n")
    tee.end()
    assert collected(tee) == ["one", "two"]
    assert tee.write_error.strerror == "No space left on device"


def test_a_log_path_that_is_a_symlink_is_not_followed(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(OSError, match="symbolic links"):
        LogTee(tmp_path / "link", 10)
    assert not (tmp_path / "target").exists()


class ScriptedJob:
    """A job whose engine answers by a list; the last answer repeats."""

    def __init__(self, answers, ends_on=()):
        self.answers = list(answers)
        self.ends_on = ends_on
        self.signals = []

    def poll(self):
        if set(self.signals) & set(self.ends_on):
            return Exit(code=0)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer == "gone":
            raise EngineGone("no answer")
        return answer

    def terminate(self):
        self.signals.append("TERM")
        return True

    def kill(self):
        self.signals.append("KILL")


def watch(job, tee, deadline_s=60.0, grace_s=0.3):
    began = time.monotonic()
    return supervision.watch(job, tee, lambda line: None, began=began, deadline_s=deadline_s, grace_s=grace_s)


def test_an_engine_that_comes_back_in_time_is_not_lost(tee):
    outcome = watch(ScriptedJob([None, "gone", "gone", None, Exit(code=4)]), tee_ended(tee))
    assert (outcome.exit_code, outcome.engine_lost) == (4, False)


def tee_ended(tee):
    tee.end()
    return tee


def test_an_engine_that_stays_away_is_lost(tee, monkeypatch):
    monkeypatch.setattr(supervision, "ENGINE_LOST_AFTER_S", 0.5)
    outcome = watch(ScriptedJob(["gone"]), tee)
    assert (outcome.exit_code, outcome.engine_lost) == (None, True)


def test_the_deadline_asks_first_and_kills_after_the_grace(tee):
    job = ScriptedJob([None], ends_on=("KILL",))
    began = time.monotonic()
    outcome = watch(job, tee_ended(tee), deadline_s=0.3, grace_s=0.3)
    assert job.signals == ["TERM", "KILL"]
    assert outcome.deadline_exceeded
    assert 0.6 <= time.monotonic() - began < 3


def test_a_job_that_ends_in_its_grace_is_not_killed(tee):
    job = ScriptedJob([None], ends_on=("TERM",))
    outcome = watch(job, tee_ended(tee), deadline_s=0.2, grace_s=5.0)
    assert (job.signals, outcome.deadline_exceeded, outcome.exit_code) == (["TERM"], True, 0)


def test_the_deadline_does_not_follow_the_wall_clock(tee, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 4e9)
    outcome = watch(ScriptedJob([None, None, Exit(code=0)]), tee_ended(tee), deadline_s=30)
    assert not outcome.deadline_exceeded


def test_a_chatty_job_still_meets_its_deadline(tee):
    stop = threading.Event()

    def chatter():
        while not stop.is_set():
            tee.feed(b"noise\n" * 100)

    thread = threading.Thread(target=chatter)
    thread.start()
    began = time.monotonic()
    job = ScriptedJob([None], ends_on=("TERM",))
    stopper = threading.Timer(1.0, lambda: (stop.set(), thread.join(), tee.end()))
    stopper.start()
    outcome = watch(job, tee, deadline_s=0.5)
    assert outcome.deadline_exceeded
    assert time.monotonic() - began < 10
    stopper.join()


def test_a_signal_inside_an_uninterrupted_block_arrives_once_it_is_done_and_handlers_are_restored():
    before, steps = signal.getsignal(signal.SIGINT), []

    def block():
        with uninterrupted():
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.05)
            steps.append("done")

    with pytest.raises(KeyboardInterrupt):
        block()
    assert steps == ["done"]
    assert signal.getsignal(signal.SIGINT) is before


def flooded(tmp_path, data, pieces):
    """A limited tee that was fed far more lines than it hands over: (tee, what its watcher got)."""
    tee, seen = LogTee(tmp_path / "log", 10**9, lines_per_s=100), []
    for _ in range(pieces):
        tee.feed(data)
        while tee.deliver(seen.append, 0):
            pass
    tee.feed(b"data_ok\nPROGRESS 7 9 loss=1.0\n" + data)
    tee.feed(b"last line\n")
    tee.end()
    return tee, seen + collected(tee)


def test_of_a_flood_the_watcher_gets_little_but_markers_and_the_latest_progress(tmp_path):
    tee, seen = flooded(tmp_path, b"PROGRESS 1 9 loss=2.0\n" * 2000, 100)
    assert len(seen) < 2000
    assert "data_ok" in seen
    assert seen[-1] == "PROGRESS 1 9 loss=2.0"
    assert tee.tail()[-1] == "last line"
    assert len(tee.tail()) == 200
    assert tee.path.stat().st_size == 101 * 2000 * 22 + len(b"data_ok\nPROGRESS 7 9 loss=1.0\nlast line\n")


@pytest.mark.parametrize("terminal", [None, io.StringIO()], ids=["as lines", "as a bar"])
def test_a_million_progress_lines_cost_less_than_a_cpu_second_with_what_the_session_does_of_each(tmp_path, terminal):
    shown = []
    watcher = GuardedSink(TrainProgress(shown.append, terminal=terminal))
    tee, began = LogTee(tmp_path / "log", 10**9, lines_per_s=WATCHED_LINES_PER_S), time.process_time()
    for _ in range(500):
        tee.feed(b"PROGRESS 10 1000000 loss=1.500000\n" * 2000)
        while tee.deliver(watcher, 0):
            pass
    tee.end()
    while tee.deliver(watcher, 0):
        pass
    assert time.process_time() - began < 1.0
    assert "10/1000000" in (terminal.getvalue() if terminal else shown[-1])


def test_a_line_without_an_end_is_bounded_and_whole_in_the_file(tmp_path):
    tee, seen = flooded(tmp_path, b"x" * 1_000_000, 20)
    assert tee.path.stat().st_size == 21_000_000 + len(b"data_ok\nPROGRESS 7 9 loss=1.0\nlast line\n")
    assert seen and all(len(line) <= MAX_LINE_BYTES for line in seen)
