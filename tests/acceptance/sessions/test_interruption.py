"""However a session ends, its report is printed, its job is gone, and the previous outputs are back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from acceptance.objective import PROJECT_ROOT
from acceptance.report import block
from tests.acceptance.harness import collect, environment
from tests.acceptance.sessions.conftest import OUTPUTS, Bench, is_running, wait_for

HANG = {"VOICE_ENV__TINY_MODE": "hang"}
SLOW_TO_END = {"VOICE_ENV__TINY_MODE": "slow_to_end"}
RUNNING_STEP = "phase_3_readiness.train_report_emitted"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_during_training_ends_the_job_and_prints_the_report(bench: Bench, number: signal.Signals) -> None:
    before = bench.plant_outputs()
    process = bench.start("-q", env=HANG)
    job = bench.running_job(process)
    process.send_signal(number)
    session = collect(process)
    assert session.stdout.endswith(block.END + "\n"), session.stdout + session.stderr
    assert session.stdout.count(block.BEGIN) == 1
    assert session.returncode == 2
    assert session.decision == ("none", RUNNING_STEP, "interrupted")
    assert not is_running(job)
    assert bench.outputs() == before
    assert (session.run_dir / "rejected/voice.pt").read_text() == "half-written\n"


def test_impatient_signals_during_the_teardown_do_not_cut_it_short(bench: Bench) -> None:
    before = bench.plant_outputs()
    process = bench.start("-q", env=SLOW_TO_END)
    job = bench.running_job(process)
    process.send_signal(signal.SIGINT)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
        time.sleep(0.7)
        process.send_signal(number)
    session = collect(process)
    assert session.stdout.endswith(block.END + "\n"), session.stdout + session.stderr
    assert (session.returncode, session.decision[1:]) == (2, (RUNNING_STEP, "interrupted"))
    assert not is_running(job)
    assert bench.outputs() == before


def test_a_hang_up_does_not_end_a_session_that_ignores_it(bench: Bench) -> None:
    command = [sys.executable, "-m", "pytest", "acceptance", "-q", "-p", "no:cacheprovider", *bench.options()]
    process = subprocess.Popen(
        ["/bin/sh", "-c", 'trap "" HUP; exec "$@"', "sh", *command], cwd=PROJECT_ROOT, env=environment({"VOICE_ENV__TINY_PAUSE": "0.4"}),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    bench.started.append(process)
    wait_for(lambda: (bench.workspace / "out/status/phase_markers.log").exists())
    process.send_signal(signal.SIGHUP)
    assert collect(process).block["objective_status"] == "success"


RAISING = """
import pytest
def pytest_runtest_logreport(report):
    if report.when == "call" and "sources_unchanged" in report.nodeid:
        raise {what}
"""


REFUSING = """
import pytest
class Broken(pytest.Module):
    def collect(self):
        raise self.CollectError("no")
def pytest_pycollect_makemodule(module_path, parent):
    return Broken.from_parent(parent, path=module_path) if "test_4" in module_path.name else None
"""


def test_an_internal_error_still_prints_the_report(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "breaking.py").write_text(RAISING.format(what="RuntimeError('a plugin broke')"))
    session = bench.run("-q", "-p", "breaking", env={"PYTHONPATH": str(tmp_path)})
    assert session.stdout.endswith(block.END + "\n")
    assert session.returncode == 3
    assert session.decision == ("environment_blocked", "phase_3_readiness.container_started", "internal_error")
    assert "a plugin broke" in session.report["errors"][0]


def test_a_plugin_that_exits_the_session_keeps_its_exit_status(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "leaving.py").write_text(RAISING.format(what="pytest.exit('enough', returncode=70)"))
    session = bench.run("-q", "-p", "leaving", env={"PYTHONPATH": str(tmp_path)})
    assert session.stdout.endswith(block.END + "\n")
    assert (session.returncode, session.block["objective_status"], session.block["cause"]) == (
        70,
        "blocked",
        "interrupted",
    )


def test_a_phase_that_cannot_be_imported_is_an_internal_error(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "refusing.py").write_text(REFUSING)
    session = bench.run("-q", "-p", "refusing", env={"PYTHONPATH": str(tmp_path)})
    assert session.stdout.endswith(block.END + "\n")
    assert (session.returncode, session.block["cause"]) == (2, "internal_error")


def test_a_killed_session_is_reported_from_its_journal_and_cleaned_up_by_the_next(bench: Bench) -> None:
    before = bench.plant_outputs()
    process = bench.start("-q", env=HANG)
    job = bench.running_job(process)
    live = bench.report()
    assert "cause: none\n" in live.stdout
    process.kill()
    process.communicate()
    run_dir = (bench.workspace / "artifacts/latest").resolve()
    assert not (run_dir / "report.txt").exists()
    told = bench.report()
    assert f"first_failed_step: {RUNNING_STEP}\n" in told.stdout
    assert "cause: interrupted\n" in told.stdout
    assert told.returncode == 1
    assert (run_dir / "report.txt").read_text() in told.stdout
    assert json.loads((run_dir / "report.json").read_text())["exit_status"] is None
    wait_for(lambda: not is_running(job))
    (run_dir / "returning-half").mkdir()  # outputs that came back from an engine when it was killed
    bench.run("-q", "-k", "build")
    assert bench.outputs() == before
    assert not (run_dir / "returning-half").exists()
    assert bench.run("-q").block["objective_status"] == "success"


def test_the_next_session_ends_a_job_whose_guard_died_with_its_session(bench: Bench) -> None:
    process = bench.start("-q", env=SLOW_TO_END)
    job = bench.running_job(process)
    guard = int(Path(f"/proc/{job}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(process.pid, signal.SIGSTOP)
    os.kill(guard, signal.SIGSTOP)
    process.kill()
    process.communicate()
    assert is_running(job)
    session = bench.run("-q")
    assert session.block["objective_status"] == "success", session.stdout
    assert any("removed what ended sessions left running" in warning for warning in session.report["warnings"])
    assert not is_running(job)
    assert not is_running(guard)


def test_a_run_that_was_killed_after_its_last_step_keeps_its_outputs(bench: Bench) -> None:
    session = bench.run("-q")
    made, journal = bench.outputs(), session.run_dir / "events.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    assert b"session_finished" in lines[-1]
    journal.write_bytes(b"".join(lines[:-1]))
    previous = session.run_dir / "previous"
    previous.mkdir()
    (previous / "index.json").write_text(
        json.dumps({name: {"path": path, "stamp": None} for name, path in zip("abc", OUTPUTS, strict=True)})
    )
    assert "objective_status: success" in bench.report().stdout
    bench.run("-q", "-k", "build")
    assert bench.outputs() == made


def killed_in_training(bench: Bench, *arguments: str) -> Path:
    """A session that was killed while its job hung over a half-written checkpoint; the run's directory."""
    process = bench.start("-q", *arguments, env=HANG)
    job = bench.running_job(process)
    process.kill()
    process.communicate()
    wait_for(lambda: not is_running(job))
    (bench.workspace / "out/status/job.pid").unlink()
    return (bench.workspace / "artifacts/latest").resolve()


def change_fact(run_dir: Path, old: str, new: str) -> None:
    journal = run_dir / "events.jsonl"
    assert old in journal.read_text()
    journal.write_text(journal.read_text().replace(old, new))


def test_of_two_killed_sessions_the_outputs_from_before_the_first_return(bench: Bench) -> None:
    before = bench.plant_outputs()
    first = killed_in_training(bench)
    hidden = first.rename(bench.workspace / "hidden")
    killed_in_training(bench)
    hidden.rename(first)
    assert bench.outputs() != before
    bench.run("-q", "-k", "build")
    assert bench.outputs() == before


def test_a_killed_run_never_undoes_a_later_success(bench: Bench) -> None:
    bench.plant_outputs()
    killed = killed_in_training(bench)
    hidden = (killed / "previous").rename(bench.workspace / "hidden")
    assert bench.run("-q", "-k", "build").block["objective_status"] == "blocked"
    hidden.rename(killed / "previous")
    # As if its runtime could not be asked: the success comes while the killed run still waits.
    change_fact(killed, '"name": "process"', '"name": "of another kind"')
    assert bench.run("-q").block["objective_status"] == "success"
    made = bench.outputs()
    change_fact(killed, '"name": "of another kind"', '"name": "process"')
    assert (killed / "previous/superseded.json").is_file()
    assert bench.run("-q", "-k", "build").block["objective_status"] == "blocked"
    assert bench.outputs() == made


def test_a_killed_run_whose_job_may_still_write_keeps_older_ones_waiting(bench: Bench) -> None:
    before = bench.plant_outputs()
    first = killed_in_training(bench)
    hidden = first.rename(bench.workspace / "hidden")
    second = killed_in_training(bench)
    hidden.rename(first)
    change_fact(second, '"name": "process"', '"name": "of another kind"')
    left = bench.outputs()
    bench.run("-q", "-k", "build")
    assert bench.outputs() == left
    change_fact(second, '"name": "of another kind"', '"name": "process"')
    bench.run("-q", "-k", "build")
    assert bench.outputs() == before


def test_a_killed_run_with_a_damaged_journal_is_undone_all_the_same(bench: Bench) -> None:
    before = bench.plant_outputs()
    killed = killed_in_training(bench)
    with (killed / "events.jsonl").open("a") as journal:
        journal.write('{"ev\n{"event": "warning", "message": "x"}\n')
    bench.run("-q", "-k", "build")
    assert bench.outputs() == before


def test_an_older_killed_run_is_told_as_interrupted_while_another_session_is_live(bench: Bench) -> None:
    killed = killed_in_training(bench)
    process = bench.start("-q", env=HANG)
    bench.running_job(process)
    assert "cause: interrupted\n" in bench.report(killed.name).stdout
    assert "cause: none\n" in bench.report().stdout
    process.terminate()
    collect(process)


FULL = """
import errno, os, pytest
from acceptance.record import journal
original, real = journal.Journal.append, os.write
def refused(descriptor, data):
    if len(data) < 5:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return real(descriptor, data[:len(data) - 4])
def append(self, event):
    if event.get("event") == "{event}":
        os.write = refused
    try:
        original(self, event)
    finally:
        os.write = real
journal.Journal.append = append
"""


@pytest.mark.parametrize("event", ["step_started", "session_finished"])
def test_a_journal_that_lost_an_event_is_said_in_the_report(bench: Bench, tmp_path: Path, event: str) -> None:
    (tmp_path / "filling.py").write_text(FULL.replace("{event}", event))
    session = bench.run("-q", "-p", "filling", env={"PYTHONPATH": str(tmp_path)})
    assert session.block["objective_status"] == "success", session.stdout
    told = "the journal is incomplete, so the report cannot be rebuilt from it: events.jsonl: No space left on device (see df -h and df -i)"
    assert told in session.report["warnings"]
    assert f"warning: {told}\n" in session.stdout
    assert bench.report().returncode == 0


LOSING_FACTS = """
import errno, os
from acceptance.record import journal
original = journal.Journal._write
def write(self, descriptor, line):
    if b'"name": "checkpoint"' in line:
        raise OSError(errno.{code}, os.strerror(errno.{code}))
    original(self, descriptor, line)
journal.Journal._write = write
"""


@pytest.mark.parametrize("code", ["ENOSPC", "EROFS"])
def test_a_journal_that_cannot_be_written_names_the_disk_not_the_journal(
    bench: Bench, tmp_path: Path, code: str
) -> None:
    (tmp_path / "filling.py").write_text(LOSING_FACTS.replace("{code}", code))
    session = bench.run("-q", "-p", "filling", env={"PYTHONPATH": str(tmp_path)})
    assert session.decision == ("environment_blocked", "phase_5_report.report_deterministic", "journal_unwritable"), (
        session.stdout
    )
    assert "df -h " in session.block["next_unblock_action"] and "df -i " in session.block["next_unblock_action"]
    assert "rebuild it" not in session.stdout


HOSTILE_LINES = [
    b"[" * 200_000,
    b'{"event": "session_started", "run_id": 7}',
    b'{"event": "fact", "name": [], "value": 1}',
    b"\xff\xfe\x00",
]


def test_hostile_lines_in_an_earlier_journal_block_no_session_and_no_report(bench: Bench) -> None:
    for number, line in enumerate(HOSTILE_LINES):
        earlier = bench.workspace / f"artifacts/runs/20200101T00000{number}Z-aaaaaa"
        earlier.mkdir(parents=True)
        (earlier / "events.jsonl").write_bytes(line + b"\n" + b'{"event": "warning", "message": "x"}\n')
    session = bench.run("-q")
    assert session.block["objective_status"] == "success", session.stdout
    assert bench.report().returncode == 0
    for number in range(len(HOSTILE_LINES)):
        told = bench.report(f"20200101T00000{number}Z-aaaaaa")
        assert (told.returncode, "Traceback" in told.stderr) == (2, False), told.stderr
        assert f"20200101T00000{number}Z-aaaaaa/events.jsonl: " in told.stderr


def test_report_without_a_run_is_the_latest_whatever_the_clock_did(bench: Bench) -> None:
    earlier = bench.run("-q", "-k", "audio_exists").run_dir
    earlier.rename(earlier.with_name("20990101T000000Z-ffffff"))
    newest = bench.run("-q", "-k", "audio_size")
    assert f"run: {newest.run_dir}\n" in bench.report().stdout
