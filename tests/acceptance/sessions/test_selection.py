"""Which steps a session runs, in which order, and what it says of those that it did not run."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from acceptance.report import BEGIN
from acceptance.settings import PROJECT_ROOT
from acceptance.steps import ALL_STEPS
from tests.acceptance.harness import environment
from tests.acceptance.sessions.conftest import Bench

IDS = [step.id for step in ALL_STEPS]


def pytest_says(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A session that is not one of the objective."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=PROJECT_ROOT, env=environment(), capture_output=True, text=True, check=False)


def collected(text: str) -> list[str]:
    found = re.findall(r"^acceptance/test_(\d_\w+)\.py::test_(\w+)$", text, re.MULTILINE)
    return [f"phase_{phase}.{check}" for phase, check in found]


def test_the_phases_collect_exactly_the_steps_in_order_and_silently(bench: Bench) -> None:
    session = pytest_says("acceptance", "-q", "--collect-only", *bench.options())
    assert collected(session.stdout) == IDS
    assert (BEGIN in session.stdout, session.returncode) == (False, 0)
    assert sorted(path.name for path in bench.workspace.iterdir()) == ["data"]


@pytest.mark.parametrize("option", ["--fixtures", "--setup-plan"])
def test_a_session_that_only_shows_things_touches_nothing(bench: Bench, option: str) -> None:
    session = pytest_says("acceptance", "-q", option, *bench.options())
    assert (BEGIN in session.stdout, session.returncode) == (False, 0), session.stdout[-2000:]
    assert sorted(path.name for path in bench.workspace.iterdir()) == ["data"]


def test_a_session_without_phases_is_silent(bench: Bench) -> None:
    session = pytest_says("tests/acceptance/test_steps.py", "-q", *bench.options())
    assert session.returncode == 0, session.stdout
    assert "voice acceptance" not in session.stdout + session.stderr
    assert not (bench.workspace / "artifacts").exists()


def test_a_full_run_succeeds_and_its_results_come_in_order(bench: Bench) -> None:
    session = bench.run("-q")
    assert session.block["objective_status"] == "success", session.stdout + session.stderr
    assert session.block["next_unblock_action"] == "none"
    assert (session.returncode, session.stderr) == (0, "")
    assert [event["step"] for event in session.events if event["event"] == "step_finished"] == IDS


def test_a_plugin_that_shuffles_changes_the_order_of_other_tests_only(bench: Bench) -> None:
    others = set()
    for seed in (1, 2, 3):
        shuffle = ("-p", "randomly", f"--randomly-seed={seed}")
        session = pytest_says("acceptance", "tests/acceptance/test_steps.py", "-q", "--collect-only", *shuffle, *bench.options())
        assert collected(session.stdout) == IDS
        others.add(tuple(line for line in session.stdout.splitlines() if line.startswith("tests/")))
    assert len(others) == 3


def test_other_tests_in_the_session_keep_their_order_and_places(bench: Bench) -> None:
    session = pytest_says("tests/acceptance/test_steps.py", "acceptance", "-q", "--collect-only", "--order-scope=module", *bench.options())
    lines = [line for line in session.stdout.splitlines() if "::" in line]
    assert lines[0].startswith("tests/acceptance/test_steps.py")
    assert collected(session.stdout) == IDS


def test_one_phase_alone_is_no_success_and_the_action_runs_the_rest(bench: Bench) -> None:
    session = bench.run("-q", "-k", "preflight")
    assert f"6 passed, {len(IDS) - 6} deselected" in session.stdout
    assert (session.block["objective_status"], session.returncode) == ("blocked", 1)
    assert session.decision == ("none", "none", "none")
    action = session.block["next_unblock_action"]
    assert "phase_2_build, phase_3_readiness, phase_4_artifacts, phase_5_report" in action
    assert action.endswith(': pytest acceptance -q --objective=tiny.toml --workspace="$WORKSPACE"')


def test_a_late_step_alone_still_works_through_its_fixtures(bench: Bench) -> None:
    session = bench.run("-q", "-k", "learned")
    assert "1 passed" in session.stdout
    assert (session.block["objective_status"], session.returncode) == ("blocked", 1)
    assert session.block["first_failed_step"] == "none"
    assert session.outcome("phase_4_artifacts.learned") == "passed"


def test_last_failed_reruns_the_failed_step_without_claiming_success(bench: Bench) -> None:
    cache = ("-o", f"cache_dir={bench.workspace}/cache")
    first = bench.run("-q", *cache, env={"VOICE_ENV__TINY_MODE": "fail"})
    assert first.decision == ("train_failed", "phase_3_readiness.train_report_emitted", "trainer_exit_nonzero")
    again = bench.run("-q", "--lf", *cache)
    assert "1 passed" in again.stdout
    assert (again.block["objective_status"], again.returncode) == ("blocked", 1)
    assert again.block["first_failed_step"] == "none"


@pytest.mark.parametrize("spread", [("-n", "2"), ("--dist", "load", "--tx", "2*popen")])
def test_spreading_the_phases_over_processes_is_refused(bench: Bench, spread: tuple[str, ...]) -> None:
    session = pytest_says("acceptance", "-q", *spread, *bench.options())
    assert session.returncode == 4
    assert [line for line in session.stderr.splitlines() if line] == [
        "ERROR: the phases are one pipeline in a fixed order and cannot be spread over processes: run them without -n"
    ]
    assert not (bench.workspace / "artifacts").exists()


def test_spreading_other_tests_is_nobody_elses_business() -> None:
    session = pytest_says("tests/acceptance/test_steps.py", "-q", "-n", "2", "--collect-only")
    assert session.returncode == 0, session.stdout + session.stderr
