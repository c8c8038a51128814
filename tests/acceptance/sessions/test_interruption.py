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

from acceptance import report
from acceptance.settings import PROJECT_ROOT
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
    assert session.stdout.endswith(report.END + "\n"), session.stdout + session.stderr
    assert session.stdout.count(report.BEGIN) == 1
    assert session.returncode == 2
    assert session.decision == ("train_failed", RUNNING_STEP, "interrupted")
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
    assert session.stdout.endswith(report.END + "\n"), session.stdout + session.stderr
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
    assert session.stdout.endswith(report.END + "\n")
    assert session.returncode == 3
    assert session.decision == ("environment_blocked", "phase_3_readiness.container_started", "internal_error")
    assert "a plugin broke" in session.report["errors"][0]


def test_a_plugin_that_exits_the_session_keeps_its_exit_status(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "leaving.py").write_text(RAISING.format(what="pytest.exit('enough', returncode=70)"))
    session = bench.run("-q", "-p", "leaving", env={"PYTHONPATH": str(tmp_path)})
    assert session.stdout.endswith(report.END + "\n")
    assert (session.returncode, session.block["objective_status"], session.block["cause"]) == (70, "blocked", "interrupted")


def test_a_phase_that_cannot_be_imported_is_an_internal_error(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "refusing.py").write_text(REFUSING)
    session = bench.run("-q", "-p", "refusing", env={"PYTHONPATH": str(tmp_path)})
    assert session.stdout.endswith(report.END + "\n")
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
    bench.run("-q", "-k", "preflight")
    assert bench.outputs() == before
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
    bench.run("-q", "-k", "preflight")
    assert bench.outputs() == made
