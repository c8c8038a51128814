"""Sessions and their workspaces: one at a time, same inputs same bytes, and a report even where nothing can be written."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from acceptance.objective import PROJECT_ROOT
from acceptance.report import block
from tests.acceptance.harness import Session, collect, environment, run_acceptance
from tests.acceptance.kit import TRAINER
from tests.acceptance.sessions.conftest import Bench

HANG = {"VOICE_ENV__TINY_MODE": "hang"}


def test_a_second_session_on_the_workspace_is_refused_by_name_and_disturbs_nothing(bench: Bench) -> None:
    first = bench.start("-q", env=HANG)
    bench.running_job(first)
    second = bench.run("-q")
    assert second.returncode == 4
    assert [line for line in second.stderr.splitlines() if line] == [
        f"ERROR: another acceptance session works on this workspace (process {first.pid}); wait for it, or end it, then run again"
    ]
    assert block.BEGIN not in second.stdout
    assert len(list((bench.workspace / "artifacts/runs").iterdir())) == 1
    first.terminate()
    assert collect(first).returncode == 2
    assert bench.run("-q", "-k", "audio_exists").block["objective_status"] == "blocked"


def test_the_same_run_in_two_workspaces_gives_the_same_bytes(make_bench: Callable[..., Bench]) -> None:
    benches = make_bench("one"), make_bench("a second one, mit Ümläuten: ö")
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda bench: bench.run("-q"), benches)
        failed = list(pool.map(lambda bench: bench.run("-q", env={"VOICE_ENV__TINY_MODE": "fail"}).block_text, benches))
    assert first.block["objective_status"] == "success", first.stdout
    assert first.block_text == second.block_text
    assert first.run_id != second.run_id
    assert failed[0] == failed[1]


USAGE = {
    "unknown objective": (
        ("--objective", "nonsense"),
        "objective 'nonsense': no file nonsense.toml; known objectives: auntie_dottie, demo",
    ),
    "unknown key": (("--set", "sead=1"), "--set sead: sead: no such key; did you mean seed?"),
    "bad value": (("--set", "seed=many"), "--set seed: seed: 'many' is not a number from 0 to 2,147,483,647"),
    "no value": (("--set", "seed"), "--set 'seed': expected key=value"),
    "workspace that is a file": (("--workspace", "/dev/null"), "--workspace /dev/null: a file, not a directory"),
    "missing workspace": (("--workspace", "/nonexistent/place"), "--workspace /nonexistent/place: no such directory"),
    "evidence as output": (
        ("--set", "checkpoint=artifacts/voice.pt"),
        "checkpoint: artifacts/voice.pt: its folder artifacts leads to",
    ),
    "path out of the workspace": (
        ("--set", "checkpoint=../voice.pt"),
        "--set checkpoint: checkpoint: must be a printable path inside",
    ),
}


@pytest.mark.parametrize("name", USAGE)
def test_a_usage_error_is_one_clear_line_and_exit_status_4(bench: Bench, name: str) -> None:
    arguments, expected = USAGE[name]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "acceptance",
        "-q",
        "-p",
        "no:cacheprovider",
        *bench.options(),
        *arguments,
    ]
    session = subprocess.run(command, cwd=PROJECT_ROOT, env=environment(), capture_output=True, text=True, check=False)
    lines = [line for line in session.stderr.splitlines() if line]
    assert (len(lines), session.returncode) == (1, 4), session.stderr
    assert lines[0].startswith(f"ERROR: {expected}")
    assert block.BEGIN not in session.stdout
    assert not (bench.workspace / "artifacts").exists()


def test_a_job_that_made_its_folder_a_link_to_the_evidence_gets_no_second_session(bench: Bench) -> None:
    assert bench.run("-q", "-k", "audio_exists").returncode == 1
    (bench.workspace / "out").mkdir()
    (bench.workspace / "out/status").symlink_to("../artifacts/runs")
    second = bench.run("-q")
    assert second.returncode == 4
    assert second.stderr.startswith(
        "ERROR: status: out/status/train_status.json: its folder out/status leads to or above artifacts/runs, "
    )
    assert len(list((bench.workspace / "artifacts/runs").iterdir())) == 1


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """This project as it is right after a clone: nothing of it was ever imported."""
    for name in ("acceptance", "trainer", "docker/voice-train"):
        shutil.copytree(PROJECT_ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(PROJECT_ROOT / name, tmp_path)
    return tmp_path


def run_in(clone: Path, bench: Bench, *before_training: str) -> Session:
    """A session of the clone, which leaves bytecode there like any other; the job runs some commands in the clone, then trains."""
    (bench.workspace / "job.sh").write_text("\n".join([f"cd {clone}", *before_training, f"exec /bin/sh {TRAINER}\n"]))
    command, protected = (
        f"command=/bin/sh {bench.workspace}/job.sh",
        "protected=acceptance trainer docker/voice-train conftest.py pyproject.toml",
    )
    options = bench.options("--set", command, "--set", protected)
    return run_acceptance(None, *options, env={"PYTHONPYCACHEPREFIX": None}, cwd=clone)


def removed(session: Session) -> list[str]:
    return [warning for warning in session.report["warnings"] if warning.startswith("removed ")]


def test_a_clone_without_bytecode_and_one_with_it_both_succeed(bench: Bench, clone: Path) -> None:
    for _ in range(2):
        session = run_in(clone, bench)
        assert session.block["objective_status"] == "success", session.stdout + session.stderr
        assert list((clone / "acceptance").rglob("*.pyc"))
        assert not removed(session)


def test_a_program_of_the_clone_that_somebody_starts_meanwhile_changes_nothing(bench: Bench, clone: Path) -> None:
    session = run_in(clone, bench, f"env -u PYTHONDONTWRITEBYTECODE {sys.executable} -c 'import acceptance.cli.main'")
    assert session.block["objective_status"] == "success", session.stdout + session.stderr
    (warning,) = removed(session)
    assert warning.startswith(
        "removed bytecode that appeared beside protected sources while the job ran: (project) acceptance/"
    )


def test_a_job_writes_no_bytecode_unless_it_is_told_to(bench: Bench, clone: Path) -> None:
    session = run_in(clone, bench, f"{sys.executable} -c 'import acceptance.cli.main'")
    assert session.block["objective_status"] == "success", session.stdout + session.stderr
    assert not (clone / "acceptance/cli/__pycache__").exists()


def test_bytecode_that_the_job_plants_in_the_project_is_removed_and_named(bench: Bench, clone: Path) -> None:
    cache = f"acceptance/__pycache__/verdict.{sys.implementation.cache_tag}.pyc"
    session = run_in(clone, bench, f"echo evil >{cache}")
    told = f"removed bytecode that appeared beside protected sources while the job ran: (project) {cache}"
    assert removed(session) == [told], session.stdout
    assert not (clone / cache).exists()


@pytest.fixture
def read_only(bench: Bench) -> Iterator[Bench]:
    """The workspace on a file system that is mounted read-only."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("needs root to mount a read-only tmpfs")
    kept = bench.workspace.with_name("kept")
    bench.workspace.rename(kept)
    bench.workspace.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "none", bench.workspace], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("a tmpfs cannot be mounted here")
    shutil.copytree(kept, bench.workspace, dirs_exist_ok=True)
    subprocess.run(["mount", "-o", "remount,ro", bench.workspace], check=True)
    try:
        yield bench
    finally:
        subprocess.run(["umount", bench.workspace], check=True)


def assert_blocked_by_the_workspace(bench: Bench, stdout: str, returncode: int) -> None:
    assert stdout.endswith(block.END + "\n")
    assert "warning: the run's directory is temporary, for the workspace cannot be written" in stdout
    assert "first_failed_step: phase_3_readiness.container_started\n" in stdout
    assert "cause: mount_not_writable\n" in stdout
    assert returncode == 1
    directory = Path(re.search(r"^run: (/.+)$", stdout, re.MULTILINE)[1])
    assert (directory / "report.txt").read_text() in stdout
    assert not directory.is_relative_to(bench.workspace)
    shutil.rmtree(directory)


def test_a_read_only_workspace_still_gives_a_report(read_only: Bench) -> None:
    session = read_only.run("-q")
    assert_blocked_by_the_workspace(read_only, session.stdout, session.returncode)


def test_a_workspace_of_another_user_still_gives_a_report(bench: Bench) -> None:
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("needs root and setpriv, to give the workspace away and the power over it up")
    for path in (bench.workspace, *bench.workspace.rglob("*")):
        os.chown(path, 65534, 65534)
    powerless = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
    command = [
        *powerless,
        sys.executable,
        "-m",
        "pytest",
        "acceptance",
        "-q",
        "-p",
        "no:cacheprovider",
        *bench.options(),
    ]
    session = subprocess.run(command, cwd=PROJECT_ROOT, env=environment(), capture_output=True, text=True, check=False)
    assert_blocked_by_the_workspace(bench, session.stdout, session.returncode)
