"""The entry script reports on every exit path; the job it runs is a small stand-in, the script itself is the real one."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "docker" / "voice-train" / "run_voice_train.sh"
RUN_ID = "run-0001"
JUDGED = f'[ "$2" = trainer.job.ending ] && exec {sys.executable} "$@"\n'
"""The job is a stand-in; who judges its end is not."""


class Job:
    """One stand-in job in its own directory, and the environment of the contract for it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.python = directory / "python"
        self.markers = directory / "phase_markers.log"
        self.checkpoint = directory / "voice.pt"
        scratch = directory / "tmp"
        scratch.mkdir()
        self.env = {
            "PATH": os.environ["PATH"],
            "TMPDIR": str(scratch),
            "VOICE_PYTHON": str(self.python),
            "RUN_ID": RUN_ID,
            "MANIFEST_PATH": str(directory / "manifest.json"),
            "TRAIN_STATUS_PATH": str(directory / "train_status.json"),
            "CHECKPOINT_PATH": str(self.checkpoint),
            "NUM_THREADS": "3",
        }

    def does(self, body: str) -> Job:
        """Let the job be this bash script, after it has written the markers that it reaches."""
        self.python.write_text(
            f'#!/usr/bin/env bash\n{JUDGED}[ -z "$MARKERS" ] || printf "$MARKERS" >phase_markers.log\n{body}\n'
        )
        self.python.chmod(0o755)
        return self

    def broken(self) -> Job:
        """Let the interpreter fail at judging, too."""
        self.python.write_text(self.python.read_text().replace(JUDGED, '[ "$2" = trainer.job.ending ] && exit 1\n'))
        return self

    def reaches(self, *markers: str, run_id: str = RUN_ID) -> Job:
        """Let the job write these markers to its log."""
        self.env["MARKERS"] = "".join(rf"{line}\n" for line in (f"run_id {run_id}", *markers))
        return self

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["bash", str(SCRIPT)], env=self.env, cwd=self.directory, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def run(self) -> tuple[int, str, dict[str, str]]:
        """Exit code, output before the report, and the report's fields."""
        return outcome(self.start())


def outcome(process: subprocess.Popen[str]) -> tuple[int, str, dict[str, str]]:
    output, _ = process.communicate(timeout=30)
    match = re.search(r"=== DOCKER TRAIN REPORT ===\n(.*)=== END DOCKER TRAIN REPORT ===\n\Z", output, re.DOTALL)
    assert match, f"no report at the end of: {output!r}"
    fields = dict(line.split(": ", 1) for line in match[1].splitlines())
    return process.returncode, output[: match.start()], fields


def read_until(process: subprocess.Popen[str], text: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if text in line:
            return
    raise AssertionError(f"the job never printed {text!r}")


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


def test_a_finished_job_is_reported_as_success_with_the_checkpoint_hash(job: Job) -> None:
    job.reaches("import_ok", "model_ok", "data_ok", "train_started", "saved")
    job.checkpoint.write_bytes(b"weights")
    Path(job.env["MANIFEST_PATH"]).write_text("{}")
    code, before, report = job.does("echo 'PROGRESS 1 2 loss=0.500000'; exit 0").run()
    assert (code, before) == (0, "PROGRESS 1 2 loss=0.500000\n")
    assert report == {
        "objective_status": "success",
        "first_failed_step": "none",
        "cause": "none",
        "exit_code": "0",
        "last_marker": "saved",
        "manifest_path": job.env["MANIFEST_PATH"],
        "train_status_path": "N/A",
        "checkpoint_path": str(job.checkpoint),
        "checkpoint_sha256": hashlib.sha256(b"weights").hexdigest(),
    }


@pytest.mark.parametrize(
    ("markers", "code", "expected", "step"),
    [
        ((), 1, 20, "import"),
        (("import_ok",), 20, 20, "model"),
        (("import_ok", "model_ok"), 10, 10, "data"),
        ((), 10, 10, "data"),
        (("import_ok", "model_ok"), 3, 20, "data"),
        (("import_ok", "model_ok", "data_ok"), 7, 20, "train"),
        (("import_ok", "model_ok", "data_ok", "train_started"), 30, 30, "train"),
        (("import_ok", "model_ok", "data_ok", "train_started"), 1, 30, "train"),
        (("import_ok", "model_ok", "data_ok", "train_started"), 124, 30, "train"),
        (("import_ok", "model_ok", "data_ok", "train_started", "saved"), 1, 30, "save"),
        ((), 255, 20, "import"),
    ],
)
def test_every_exit_code_of_the_job_becomes_one_of_the_contract(
    job: Job, markers: tuple[str, ...], code: int, expected: int, step: str
) -> None:
    exit_code, _, report = job.reaches(*markers).does(f"exit {code}").run()
    assert exit_code == expected
    assert (report["exit_code"], report["first_failed_step"]) == (str(expected), step)
    assert report["objective_status"] == "blocked"


@pytest.mark.parametrize("name", ["KILL", "SEGV", "ILL", "BUS", "TERM"])
def test_a_job_that_dies_of_a_signal_keeps_that_signal_in_the_exit_code(job: Job, name: str) -> None:
    expected = 128 + getattr(signal, f"SIG{name}")
    code, _, report = job.reaches("import_ok").does(f"ulimit -c 0; kill -{name} $$").run()
    assert (code, report["exit_code"], report["objective_status"]) == (expected, str(expected), "blocked")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_reaches_the_job_and_the_report_waits_for_its_end(job: Job, number: signal.Signals) -> None:
    job.reaches("import_ok", "model_ok", "data_ok", "train_started")
    process = job.does(
        "trap 'sleep 0.3; echo state is saved; echo FAILURE cause=interrupted message=stopped; exit 30' TERM\n"
        "echo ready; while :; do sleep 0.05; done"
    ).start()
    read_until(process, "ready")
    process.send_signal(number)
    code, before, report = outcome(process)
    assert "state is saved" in before
    assert (code, report["cause"], report["first_failed_step"]) == (30, "interrupted", "train")


def test_a_second_signal_does_not_lose_the_report(job: Job) -> None:
    process = job.does("trap 'sleep 0.5; exit 30' TERM\necho ready; while :; do sleep 0.05; done").start()
    read_until(process, "ready")
    for _ in range(4):
        process.send_signal(signal.SIGTERM)
        time.sleep(0.1)
    assert outcome(process)[0] == 30


def test_a_job_without_a_handler_ends_with_143(job: Job) -> None:
    process = job.does("echo ready; exec sleep 30").start()
    read_until(process, "ready")
    process.send_signal(signal.SIGTERM)
    assert outcome(process)[0] == 143


def test_a_missing_python_is_a_runtime_failure_with_a_report(job: Job) -> None:
    code, before, report = job.run()
    assert before.startswith("FAILURE cause=missing_module message=no Python at ")
    assert (code, report["cause"], report["first_failed_step"]) == (20, "missing_module", "import")


def test_a_missing_project_is_a_runtime_failure_with_a_report(job: Job) -> None:
    alone = job.directory / "a" / "b" / "run.sh"
    alone.parent.mkdir(parents=True)
    shutil.copy(SCRIPT, alone)
    process = subprocess.Popen(["bash", str(alone)], env=job.env, text=True, stdout=subprocess.PIPE)
    code, _, report = outcome(process)
    assert (code, report["cause"]) == (20, "missing_module")


def test_a_python_that_cannot_judge_is_a_runtime_failure_with_a_report(job: Job) -> None:
    code, _, report = job.does("exit 3").broken().run()
    assert (code, report["exit_code"], report["objective_status"]) == (20, "20", "blocked")
    assert (report["first_failed_step"], report["cause"]) == ("unknown", "unclassified")


@pytest.mark.parametrize(
    ("body", "expected"), [("exit 0", 0), ("exit 10", 10), ("exit 30", 30), ("kill -KILL $$", 137)]
)
def test_a_code_that_speaks_for_itself_is_kept_where_nobody_can_judge(job: Job, body: str, expected: int) -> None:
    assert job.does(body).broken().run()[0] == expected


def test_the_cause_is_the_last_failure_line_of_the_job(job: Job) -> None:
    _, before, report = job.does(
        "echo FAILURE cause=disk_full message=first; echo FAILURE cause=no_learning message=second; exit 30"
    ).run()
    assert before.count("FAILURE") == 2
    assert report["cause"] == "no_learning"


def test_a_cause_that_is_no_slug_is_not_repeated(job: Job) -> None:
    _, _, report = job.does(r"printf 'FAILURE cause=\e[31m::error:: message=x\n'; exit 30").run()
    assert report["cause"] == "unclassified"


def test_markers_of_another_run_do_not_count(job: Job) -> None:
    job.reaches("import_ok", "model_ok", "data_ok", "train_started", "saved", run_id="earlier")
    code, _, report = job.does("exit 1").run()
    assert (code, report["last_marker"], report["first_failed_step"]) == (20, "none", "import")


def test_markers_of_an_earlier_try_of_the_same_run_do_not_count(job: Job) -> None:
    job.markers.write_text(f"run_id {RUN_ID}\nimport_ok\nsaved\n")
    code, _, report = job.does("exit 1").run()
    assert (code, report["last_marker"]) == (20, "none")


def test_exit_zero_without_the_saved_marker_is_not_reported_as_success(job: Job) -> None:
    code, _, report = job.reaches("import_ok").does("exit 0").run()
    assert (code, report["objective_status"], report["first_failed_step"]) == (0, "blocked", "model")


def test_a_symlink_in_place_of_the_checkpoint_is_not_hashed(job: Job) -> None:
    job.checkpoint.symlink_to("/etc/passwd")
    report = job.does("exit 1").run()[2]
    assert (report["checkpoint_path"], report["checkpoint_sha256"]) == ("N/A", "N/A")


def test_the_report_comes_although_there_is_no_scratch_directory(job: Job) -> None:
    job.env["TMPDIR"] = "/nonexistent"
    code, before, report = job.does("echo hello; exit 30").run()
    assert (code, before, report["exit_code"]) == (30, "hello\n", "30")


def test_nothing_is_left_in_the_scratch_directory(job: Job) -> None:
    job.does("echo FAILURE cause=disk_full message=x; exit 30").run()
    assert list(Path(job.env["TMPDIR"]).iterdir()) == []


@pytest.mark.long
def test_a_process_that_the_job_left_behind_does_not_hold_the_report_back(job: Job) -> None:
    started = time.monotonic()
    process = job.does("(echo $BASHPID >left; exec sleep 60) & sleep 0.2; exit 30").start()
    read_until(process, "=== END DOCKER TRAIN REPORT ===")
    os.kill(int((job.directory / "left").read_text()), signal.SIGKILL)
    assert process.wait(timeout=30) == 30
    assert time.monotonic() - started < 15


def test_lines_of_the_job_arrive_while_it_runs(job: Job) -> None:
    process = job.does("echo PROGRESS 1 9; while [ ! -e seen ]; do sleep 0.02; done; exit 30").start()
    read_until(process, "PROGRESS 1 9")
    (job.directory / "seen").touch()
    assert outcome(process)[0] == 30


def test_bytes_of_the_job_pass_through_unchanged(job: Job) -> None:
    process = job.does(r"printf 'a\0b\xff\r\x1b[31mred\n'; printf 'no newline'; exit 30").start()
    assert process.stdout is not None
    output = process.stdout.buffer.read()
    process.wait(timeout=30)
    assert output.startswith(b"a\0b\xff\r\x1b[31mred\nno newline")


def test_the_job_gets_the_allocator_thread_and_python_settings(job: Job) -> None:
    before = job.does('env; echo "arguments: $*"; exit 1').run()[1]
    assert set(before.splitlines()) >= {
        "MALLOC_MMAP_THRESHOLD_=4000000000",
        "MALLOC_TRIM_THRESHOLD_=16000000000",
        "MALLOC_ARENA_MAX=1",
        "OMP_NUM_THREADS=3",
        "MKL_NUM_THREADS=3",
        "PYTHONFAULTHANDLER=1",
        "PYTHONUNBUFFERED=1",
        f"HOME={job.env['TMPDIR']}",
        "arguments: -m trainer run",
    }


def test_a_trainer_directory_in_the_workspace_is_not_the_one_that_runs(job: Job) -> None:
    for place, text in (
        (job.directory / "code", "from the project"),
        (job.directory / "workspace", "from the workspace"),
    ):
        (place / "trainer").mkdir(parents=True)
        (place / "trainer" / "__main__.py").write_text(f"print({text!r})\n")
    shutil.copy(SCRIPT, job.directory / "code" / "run.sh")
    process = subprocess.Popen(
        ["bash", str(job.directory / "code" / "run.sh")], cwd=job.directory / "workspace",
        env=job.env | {"VOICE_PYTHON": sys.executable}, text=True, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert outcome(process)[1] == "from the project\n"
