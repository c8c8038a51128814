"""The job starts and does not end well: class by marker and exit code, cause by what is known besides."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.faults.site import CHECKPOINT, Site, check_blocked
from tests.acceptance.small_disk import mounted

REPORTED, CLEAN = "phase_3_readiness.train_report_emitted", "phase_3_readiness.exit_clean"


def test_a_trainer_that_exits_nonzero_while_training(site: Site) -> None:
    session = site.run("train() { marker train_started; echo last words; report blocked train; exit 1; }\ngo")
    check_blocked(session, "train_failed", CLEAN, "trainer_exit_nonzero", kept=site.kept)
    assert "last words" in session.log().splitlines()
    assert session.outcome("phase_4_artifacts.checkpoint_valid") == "blocked", (
        "the earlier run's checkpoint is not this one's"
    )


def test_a_trainer_that_exits_without_its_report(process_site: Site) -> None:
    session = process_site.run("report() { :; }\ngo")
    check_blocked(session, "train_failed", REPORTED, "train_report_missing", kept=process_site.kept)


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ("ModuleNotFoundError: No module named 'torch'", "missing_module"),
        (
            "OSError: libsndfile.so.1: cannot open shared object file: No such file or directory",
            "missing_shared_library",
        ),
        (
            "ValueError: numpy.dtype size changed, may indicate binary incompatibility. Expected 96 from C header, got 88",
            "abi_mismatch",
        ),
    ],
)
def test_an_import_that_fails_in_the_container(docker_site: Site, said: str, cause: str) -> None:
    """A trainer that is not ours: only its traceback says what is missing."""
    docker_site.path("job/said").write_text(f"Traceback (most recent call last):\n{said}\n")
    session = docker_site.run('echo "run_id $RUN_ID" >"$log"\ncat "$job/said"\nreport blocked import\nexit 20')
    check_blocked(session, "runtime_blocked", CLEAN, cause, kept=docker_site.kept)


@pytest.fixture
def real_job(process_site: Site) -> Site:
    """The real entrypoint and trainer instead of the script."""
    process_site.objective["command"] = None
    return process_site


def test_the_real_trainer_without_its_packages_is_a_missing_module(real_job: Site, tmp_path: Path) -> None:
    real_job.objective["env"] = {"VOICE_PYTHON": str(_python_without(tmp_path, "torch"))}
    check_blocked(real_job.run(), "runtime_blocked", CLEAN, "missing_module", kept=real_job.kept)


def test_the_real_trainer_without_the_libraries_of_numpy_is_a_missing_shared_library(
    real_job: Site, tmp_path: Path
) -> None:
    python = _python_without(tmp_path, "numpy.libs", copied="numpy")
    if subprocess.run([python, "-c", "import numpy"], capture_output=True, check=False).returncode == 0:
        pytest.skip("this NumPy carries no libraries beside it")
    real_job.objective["env"] = {"VOICE_PYTHON": str(python)}
    check_blocked(real_job.run(), "runtime_blocked", CLEAN, "missing_shared_library", kept=real_job.kept)


def test_the_real_trainer_with_a_setting_that_does_not_exist(real_job: Site) -> None:
    real_job.objective["env"] = {"VOICE_TRAIN_STEP": "10"}
    check_blocked(real_job.run(), "runtime_blocked", CLEAN, "settings_invalid", kept=real_job.kept)


@pytest.mark.parametrize(("signal", "cause"), [("ILL", "illegal_instruction"), ("SEGV", "unclassified")])
def test_a_crash_while_importing(site: Site, signal: str, cause: str) -> None:
    session = site.run(f'echo "run_id $RUN_ID" >"$log"\nkill -{signal} $$')
    check_blocked(session, "runtime_blocked", REPORTED, cause, kept=site.kept)


def test_a_crash_while_training_is_a_failed_training(process_site: Site) -> None:
    session = process_site.run("train() { marker train_started; kill -SEGV $$; }\ngo")
    check_blocked(session, "train_failed", REPORTED, "trainer_exit_nonzero", kept=process_site.kept)


def test_a_container_that_the_kernel_kills_for_memory(docker_site: Site) -> None:
    docker_site.objective["memory"] = "64m"
    session = docker_site.run("train() { marker train_started; exec tail /dev/zero; }\ngo")
    check_blocked(session, "train_failed", REPORTED, "out_of_memory", kept=docker_site.kept)
    assert session.report["facts"]["job"]["oom_killed"] is True


def test_a_container_that_somebody_else_kills_is_not_out_of_memory(docker_site: Site) -> None:
    session = docker_site.run("train() { marker train_started; kill -KILL $$; }\ngo")
    check_blocked(session, "train_failed", REPORTED, "killed", kept=docker_site.kept)


def test_a_job_that_heeds_sigterm_at_its_deadline_reports(site: Site) -> None:
    site.objective["train_deadline_s"] = 1
    session = site.run(
        'trap "fail 30 interrupted stopped" TERM\ntrain() { marker train_started; while :; do sleep 0.1; done; }\ngo'
    )
    check_blocked(session, "train_failed", CLEAN, "deadline_exceeded", kept=site.kept)
    assert "FAILURE cause=interrupted message=stopped" in session.log()


def test_a_job_that_ignores_sigterm_is_killed_after_its_grace(docker_site: Site) -> None:
    docker_site.objective["train_deadline_s"] = 1
    session = docker_site.run('trap "" TERM\ntrain() { marker train_started; while :; do sleep 0.1; done; }\ngo')
    check_blocked(session, "train_failed", REPORTED, "deadline_exceeded", kept=docker_site.kept)
    assert session.report["facts"]["job"]["exit_code"] == 137


def test_a_disk_that_is_full_when_the_checkpoint_is_saved(site: Site, small_disk: Path) -> None:
    """The job writes over the good checkpoint and fails half way; the good one returns, byte for byte, to the same full disk."""
    session = site.run(
        'put_checkpoint() { cat "$job/checkpoint.pt" >"$CHECKPOINT_PATH" || { report blocked save; exit 30; }; }\ngo'
    )
    check_blocked(session, "train_failed", CLEAN, "disk_full", kept=site.kept)
    assert small_disk.stat().st_size == 50_000


def test_what_the_failed_run_wrote_is_kept_aside(process_site: Site) -> None:
    session = process_site.run(
        'put_status() { echo "{}" >"$TRAIN_STATUS_PATH"; }\nput_checkpoint() { rm "$CHECKPOINT_PATH"; }\ngo'
    )
    assert session.block["objective_status"] == "blocked"
    assert (session.run_dir / "rejected" / "train_status.json").read_text() == "{}\n"


@pytest.fixture
def small_disk(site: Site) -> object:
    """The checkpoint's directory as a disk of 100 kB, with a good checkpoint of 50 kB on it."""
    directory = site.path(CHECKPOINT).parent
    with mounted(directory, "size=100k"):
        site.path(CHECKPOINT).write_bytes(site.genuine.checkpoint.read_bytes()[:50_000])
        site.keep(CHECKPOINT)
        yield site.path(CHECKPOINT)


def _python_without(directory: Path, package: str, *, copied: str = "") -> Path:
    """A virtual environment with links to this one's packages but for one; `copied` finds its neighbours by its own place."""
    made = directory / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", made], check=True)
    packages = next(made.glob("lib/python*/site-packages"))
    for found in Path(pytest.__file__).parents[1].iterdir():
        if found.name == copied:
            shutil.copytree(found, packages / copied)
        elif found.name != package and not (packages / found.name).exists():
            (packages / found.name).symlink_to(found)
    return made / "bin" / "python"
