"""What a killed harness leaves of a process run is found and ended; what is somebody else's is not."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from acceptance.runtimes import supervision
from acceptance.runtimes.ownership import current_owner
from acceptance.runtimes.process import guarded_process
from acceptance.runtimes.process.record import MARK_VARIABLE
from tests.acceptance.runtimes.process_place import wait_until

ROOT = Path(__file__).parents[4]


HARNESS = (
    "import sys, time; from pathlib import Path; sys.path.insert(0, '.'); from tests.acceptance.runtimes import process_place as t\n"
    "place = t.Place(Path(sys.argv[1]), sys.argv[2])\n"
    "process = place.runtime.start(place.spec(\"echo up; setsid sleep 300 & trap '' TERM; while true; do sleep 1; done\"))\n"
    "print('up', flush=True); time.sleep(300)\n"
)


@contextlib.contextmanager
def other_harness(place):
    harness = subprocess.Popen(
        [sys.executable, "-c", HARNESS, str(place.root), place.run_id], stdout=subprocess.PIPE, cwd=ROOT
    )
    try:
        assert harness.stdout.readline() == b"up\n"
        yield harness
    finally:
        harness.kill()
        harness.wait()
        harness.stdout.close()


def test_a_killed_harness_leaves_no_process_running(place):
    with other_harness(place) as harness:
        assert len(place.alive()) >= 3
        harness.kill()
        assert wait_until(lambda: place.alive() == []), place.alive()
        assert place.runtime.reap() == (place.run_id,)


def test_leftovers_of_a_killed_harness_and_a_killed_guard_are_reaped(place):
    with other_harness(place) as harness:
        guard = next(pid for pid in place.alive() if b"process/guard.py" in Path(f"/proc/{pid}/cmdline").read_bytes())
        assert place.runtime.reap() == ()
        assert len(place.alive()) >= 3
        os.kill(harness.pid, signal.SIGSTOP)
        os.kill(guard, signal.SIGKILL)
        harness.kill()
        harness.wait()
        assert len(place.alive()) >= 1, "what left the session outlived the guard"
        home = Path(json.loads((place.run_directory / "process.json").read_text())["home"])
        assert home.is_dir()
        assert place.runtime.reap() == (place.run_id,)
        assert not home.exists()
        assert place.alive() == []
        assert place.runtime.reap() == ()


@pytest.mark.long
@pytest.mark.parametrize("name", ["KILL", "STOP"])
def test_what_a_job_hides_from_a_guard_that_it_kills_or_stops_is_ended_with_it(place, name, monkeypatch):
    for module, patience in ((guarded_process, "_END_S"), (supervision, "_DRAIN_IDLE_S")):
        monkeypatch.setattr(module, patience, 0.5)  # how often five seconds are waited in vain is not the claim
    with place.started(
        place.spec(f"echo up; setsid sleep 300 & kill -{name} $PPID; sleep 300", deadline_s=2, grace_s=0.5)
    ) as process:
        process.wait(lambda line: None)
    assert place.alive() == []
    assert not (place.run_directory / "process.json").exists()
    assert place.runtime.reap() == ()


def test_reaping_does_not_touch_a_process_that_only_shares_the_run_id(place):
    stranger = subprocess.Popen(["sleep", "60"], env={"RUN_ID": place.run_id, MARK_VARIABLE: "another"})
    try:
        machine, boot, _, _, namespace = current_owner().split(":")
        owner = f"{machine}:{boot}:4194304:1:{namespace}"
        record = {"run_id": place.run_id, "owner": owner, "mark": uuid.uuid4().hex, "home": str(place.root / "out")}
        (place.run_directory / "process.json").write_text(json.dumps(record))
        assert place.runtime.reap() == (place.run_id,)
        assert stranger.poll() is None
        assert (place.root / "out").is_dir(), "only a home of our making is removed"
    finally:
        stranger.kill()
        stranger.wait()


def test_a_job_whose_owner_cannot_be_seen_is_reaped_only_as_one_of_the_callers_abandoned_runs(place):
    mark = uuid.uuid4().hex
    job = subprocess.Popen(["sleep", "60"], env={MARK_VARIABLE: mark})
    try:
        owner = current_owner().rpartition(":")[0] + ":1"
        record = {"run_id": place.run_id, "owner": owner, "mark": mark, "home": str(place.root / "out")}
        (place.run_directory / "process.json").write_text(json.dumps(record))
        assert place.runtime.reap() == place.runtime.reap(frozenset({"another-run"})) == ()
        assert job.poll() is None
        assert place.runtime.reap(frozenset({place.run_id})) == (place.run_id,)
        assert job.wait(5) == -signal.SIGKILL
    finally:
        job.kill()
        job.wait()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"run_id": "x", "owner": "y", "mark": "", "home": ""}', "\x00"])
def test_a_record_that_cannot_be_read_is_left_alone(place, text):
    (place.run_directory / "process.json").write_text(text)
    assert place.runtime.reap() == ()
