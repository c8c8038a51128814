"""Which steps a session runs, in which order, and what it says of those that it did not run."""

from __future__ import annotations

import dataclasses
import re
import shutil
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from acceptance.objective import PROJECT_ROOT
from acceptance.report.block import BEGIN
from acceptance.steps import ALL_STEPS, ORDER, STEPS, needed_by
from tests.acceptance.harness import collect, environment
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


@pytest.mark.parametrize("option", ["--fixtures", "--fixtures-per-test"])
def test_a_session_that_only_shows_things_touches_nothing(bench: Bench, option: str) -> None:
    session = pytest_says("acceptance", "-q", option, *bench.options())
    assert (BEGIN in session.stdout, session.returncode) == (False, 0), session.stdout[-2000:]
    assert sorted(path.name for path in bench.workspace.iterdir()) == ["data"]


@pytest.mark.parametrize("arguments", [(), (str(PROJECT_ROOT), "--ignore=tests")], ids=["bare", "an editor's run all"])
def test_a_session_in_which_nobody_asked_for_the_steps_runs_none_and_says_how(
    bench: Bench, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    file = tmp_path / "junit.xml"
    session = pytest_says(
        *arguments, "-q", f"--junit-xml={file}", f"--objective={bench.objective}", f"--workspace={bench.workspace}"
    )
    assert (session.returncode, BEGIN in session.stdout) == (5, False), session.stdout + session.stderr
    assert (
        "the 37 steps of the pipeline were not run, for nobody asked for them: `pytest acceptance -q` builds"
        in session.stdout
    )
    assert sorted(path.name for path in bench.workspace.iterdir()) == ["data"]
    assert [case.attrib["name"] for case in ET.parse(file).getroot().iter("testcase")] == ["objective"]


def test_tests_beside_unasked_steps_run_and_decide(bench: Bench, tmp_path: Path) -> None:
    file, phases = tmp_path / "junit.xml", tmp_path / "own"
    phases.mkdir()
    (phases / "test_own.py").write_text("def test_own():\n    pass\n")
    places = (
        str(phases),
        str(PROJECT_ROOT),
        "--ignore=tests",
        f"--objective={bench.objective}",
        f"--workspace={bench.workspace}",
    )
    session = pytest_says(*places, "-q", f"--junit-xml={file}")
    assert session.returncode == 0, session.stdout + session.stderr
    assert "1 passed" in session.stdout and "steps of the pipeline were not run" in session.stdout
    assert [case.attrib["name"] for case in ET.parse(file).getroot().iter("testcase")] == ["test_own"]


def test_a_selection_without_a_path_asks_for_the_steps(bench: Bench) -> None:
    session = pytest_says(
        "-q", "-k", "policy_complete", f"--objective={bench.objective}", f"--workspace={bench.workspace}"
    )
    assert (session.returncode, "1 passed" in session.stdout) == (0, True), session.stdout


REFUSED = {
    "--setup-plan": ("--setup-plan",),
    "--setup-only": ("--setup-only",),
    "--trace": ("--trace",),
    "--looponfail": ("--looponfail",),
    "--full-cycle --resume": ("--resume",),
    "--full-cycle --texts": ("--texts=sentences.txt",),
    "-p no:voice-acceptance-run": ("-p", "no:voice-acceptance-run"),
    "method thread": ("--timeout=60", "--timeout-method=thread"),
    "faulthandler_exit_on_timeout": ("-o", "faulthandler_timeout=60", "-o", "faulthandler_exit_on_timeout=true"),
}


@pytest.mark.parametrize("named", REFUSED)
def test_an_option_under_which_steps_are_not_judged_is_a_usage_error(bench: Bench, tmp_path: Path, named: str) -> None:
    file = tmp_path / "junit.xml"
    session = pytest_says("acceptance", "-q", *REFUSED[named], f"--junit-xml={file}", *bench.options())
    assert (session.returncode, BEGIN in session.stdout) == (4, False), session.stdout
    message = session.stderr.strip()
    assert message.startswith("ERROR: ") and named in message and "\n" not in message
    assert sorted(path.name for path in bench.workspace.iterdir()) == ["data"]
    assert not file.exists() or 'name="objective_status" value="blocked"' in file.read_text()


@pytest.mark.parametrize("option", ["--setup-plan", "--setup-only", "--trace"])
def test_guardrails_alone_are_not_green_unrun_either(bench: Bench, option: str) -> None:
    assert pytest_says("acceptance", "-q", "-k", "guardrails", option, *bench.options()).returncode == 4


@pytest.mark.parametrize("option", ["--setup-plan", "--setup-only"])
def test_other_tests_may_be_shown_or_set_up_only(option: str) -> None:
    assert pytest_says("tests/acceptance/test_steps.py", "-q", option).returncode == 0


@pytest.mark.parametrize("options", [("--setup-show",), ("-p", "no:order"), ("--timeout=60",)], ids=" ".join)
def test_an_option_that_takes_nothing_away_is_no_obstacle(bench: Bench, options: tuple[str, ...]) -> None:
    session = bench.run("-q", *options)
    assert (session.returncode, session.block["objective_status"]) == (0, "success"), session.stdout + session.stderr


def test_phases_need_no_plugin_that_others_installed(bench: Bench) -> None:
    session = bench.run("-q", env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})
    assert (session.returncode, session.block["objective_status"]) == (0, "success"), session.stdout + session.stderr
    assert [event["step"] for event in session.events if event["event"] == "step_finished"] == IDS


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
        session = pytest_says(
            "acceptance", "tests/acceptance/test_steps.py", "-q", "--collect-only", *shuffle, *bench.options()
        )
        assert collected(session.stdout) == IDS
        others.add(tuple(line for line in session.stdout.splitlines() if line.startswith("tests/")))
    assert len(others) == 3


def test_other_tests_in_the_session_keep_their_order_and_places(bench: Bench) -> None:
    session = pytest_says(
        "tests/acceptance/test_steps.py", "acceptance", "-q", "--collect-only", "--order-scope=module", *bench.options()
    )
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
    assert action.endswith(': pytest acceptance -q --objective="$OBJECTIVE" --workspace="$WORKSPACE"')


def test_an_objective_in_the_workspace_is_named_by_it_in_the_action(bench: Bench) -> None:
    objective = bench.workspace / "my voices/mine.toml"
    objective.parent.mkdir()
    shutil.copy(bench.objective, objective)
    action = dataclasses.replace(bench, objective=objective).run("-q", "-k", "preflight").block["next_unblock_action"]
    assert action.endswith(
        ''': pytest acceptance -q --objective="$WORKSPACE"/'my voices/mine.toml' --workspace="$WORKSPACE"'''
    )


def test_a_late_step_alone_brings_the_steps_that_it_needs_and_no_others(bench: Bench) -> None:
    session = bench.run("-q", "-k", "learned")
    needed = sorted(needed_by(["phase_4_artifacts.learned"]) - {"phase_4_artifacts.learned"}, key=ORDER.__getitem__)
    assert (
        session.stdout.splitlines()[0].strip()
        == f"selected too, because the selected steps need them: {', '.join(needed)}"
    )
    assert f"{len(needed) + 1} passed, {len(IDS) - len(needed) - 1} deselected" in session.stdout
    assert (session.block["objective_status"], session.block["first_failed_step"], session.returncode) == (
        "blocked",
        "none",
        1,
    )
    assert {step.id for step in STEPS if session.outcome(step.id) == "passed"} == {*needed, "phase_4_artifacts.learned"}
    assert (
        session.outcome("phase_4_artifacts.protected_paths_unchanged")
        == session.outcome("phase_5_report.report_complete")
        == "not_run"
    )


def test_a_step_that_is_named_by_its_file_brings_the_steps_of_other_files(bench: Bench) -> None:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "acceptance/test_3_readiness.py::test_mount_writable",
        "-q",
        "-p",
        "no:cacheprovider",
    ]
    session = subprocess.run(
        [*command, *bench.options()], cwd=PROJECT_ROOT, env=environment(), capture_output=True, text=True, check=False
    )
    assert f"{len(needed_by(['phase_3_readiness.mount_writable']))} passed" in session.stdout, (
        session.stdout + session.stderr
    )
    assert "phase_3_readiness.container_started" in session.stdout.splitlines()[0]


def test_steps_that_need_no_other_bring_none(bench: Bench) -> None:
    for selected in ("preflight", "phase and report_complete", "container_started or build or preflight"):
        assert "selected too" not in bench.run("-q", "-k", selected).stdout


FAULTS = {
    "audio": (("--set", "audio=data/other.wav"), ("data_blocked", "phase_1_preflight.audio_exists", "audio_missing")),
    "train": (
        ("--set", "env.TINY_MODE=fail"),
        ("train_failed", "phase_3_readiness.train_report_emitted", "trainer_exit_nonzero"),
    ),
    "exit": (("--set", "env.TINY_EXIT=30"), ("train_failed", "phase_3_readiness.exit_clean", "trainer_exit_nonzero")),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("selected", ["artifacts", "learned"])
def test_a_failure_in_a_phase_that_others_need_is_that_phases_own(
    bench: Bench, tmp_path: Path, fault: str, selected: str
) -> None:
    options, decision = FAULTS[fault]
    file = tmp_path / "junit.xml"
    session = bench.run("-q", "-k", selected, f"--junit-xml={file}", *options)
    whole = bench.run("-q", "-k", "not guardrails", *options)
    assert (session.returncode, session.decision) == (1, decision), session.stdout
    assert (session.decision, session.block["next_unblock_action"]) == (
        whole.decision,
        whole.block["next_unblock_action"],
    )
    assert session.block_text == whole.block_text
    step = decision[1]
    failed = [case for case in ET.parse(file).iter("testcase") if case.find("failure") is not None]
    assert [case.attrib["name"] for case in failed] == [f"test_{step.partition('.')[2]}"]
    assert failed[0].find("failure").attrib["message"].startswith(f"{decision[0]}/{decision[2]}: ")
    assert f"FAILED acceptance/{step.partition('.')[0].replace('phase_', 'test_', 1)}.py::" in session.stdout
    again = bench.report()
    assert again.stdout.count(f"first_failed_step: {whole.block['first_failed_step']}\n") == 1


def test_an_interruption_in_a_phase_that_others_need_is_that_phases_own(bench: Bench, tmp_path: Path) -> None:
    process = bench.start(
        "-q", "-k", "artifacts", f"--junit-xml={tmp_path / 'junit.xml'}", env={"VOICE_ENV__TINY_MODE": "hang"}
    )
    bench.running_job(process)
    process.send_signal(signal.SIGTERM)
    session = collect(process)
    assert (session.returncode, session.decision) == (
        2,
        ("none", "phase_3_readiness.train_report_emitted", "interrupted"),
    )
    failed = [case for case in ET.parse(tmp_path / "junit.xml").iter("testcase") if case.find("failure") is not None]
    assert [case.attrib["name"] for case in failed] == ["test_train_report_emitted"]


def test_nothing_selected_ends_with_5_and_junit_says_blocked(bench: Bench, tmp_path: Path) -> None:
    session = bench.run("-q", "-k", "nothing", f"--junit-xml={tmp_path / 'junit.xml'}")
    assert (session.returncode, session.block_text) == (5, "")
    assert 'name="objective_status" value="blocked"' in (tmp_path / "junit.xml").read_text()


def test_a_variable_that_looks_like_an_override_and_is_none_is_told_before_anything_runs(bench: Bench) -> None:
    session = bench.run("-q", "-k", "audio_exists", env={"VOICE_MEMROY": "4g", "VOICE_TRAIN_STEPS": "3"})
    warning = (
        "environment variable VOICE_MEMROY is no key of the objective and changes nothing; did you mean VOICE_MEMORY?"
    )
    assert session.stdout.splitlines()[0] == f"  warning: {warning}"
    assert session.report["warnings"] == [warning]


def test_last_failed_reruns_the_failed_step_without_claiming_success(bench: Bench) -> None:
    cache = ("-o", f"cache_dir={bench.workspace}/cache")
    first = bench.run("-q", *cache, env={"VOICE_ENV__TINY_MODE": "fail"})
    assert first.decision == ("train_failed", "phase_3_readiness.train_report_emitted", "trainer_exit_nonzero")
    again = bench.run("-q", "--lf", *cache)
    assert f"{len(needed_by(['phase_3_readiness.train_report_emitted']))} passed" in again.stdout
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
