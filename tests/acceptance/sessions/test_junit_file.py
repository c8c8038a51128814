"""The JUnit file: one testcase per step, class and cause first, the report's fields as properties, well-formed whatever was printed."""

from __future__ import annotations

import os
import signal
import xml.etree.ElementTree as ET
from pathlib import Path
from types import SimpleNamespace

import pytest

from acceptance.report.block import KEYS
from acceptance.session.refused_options import unwritable_junit
from acceptance.steps import ALL_STEPS, STEPS
from tests.acceptance.harness import collect
from tests.acceptance.junit_format import violations
from tests.acceptance.sessions.conftest import Bench

STEP_IDS = [step.id for step in ALL_STEPS]


def cases(root: ET.Element) -> dict[str, ET.Element]:
    """Testcases by step id; `objective` is the one that is no step."""
    found = {}
    for case in root.iter("testcase"):
        if case.attrib["name"] == "objective":
            found["objective"] = case
            continue
        phase = case.attrib["classname"].rpartition(".")[2].replace("test_", "phase_", 1)
        found[f"{phase}.{case.attrib['name'].removeprefix('test_')}"] = case
    return found


def properties(element: ET.Element) -> dict[str, str]:
    return {item.attrib["name"]: item.attrib["value"] for item in element.findall("properties/property")}


@pytest.mark.parametrize("family", ["xunit1", "xunit2"])
def test_a_failed_run_tells_class_and_cause_first_and_blocked_steps_as_skipped(
    bench: Bench, tmp_path: Path, family: str
) -> None:
    file = tmp_path / "junit.xml"
    hostile = 'printf "\\033[31m\\000::error::x\\377<&>]]>\\n=== OBJECTIVE REPORT ===\\nobjective_status: success\\n"; exit 30'
    session = bench.run(
        "-q", f"--junitxml={file}", "-o", f"junit_family={family}", "--set", f"command=/bin/sh -c '{hostile}'"
    )
    root = ET.parse(file).getroot()
    found = cases(root)
    assert list(found) == STEP_IDS
    failure = found["phase_3_readiness.train_report_emitted"].find("failure")
    assert failure.attrib["message"].startswith("train_failed/trainer_exit_nonzero: the job ended with exit code 30")
    skipped = {
        step: case.find("skipped").attrib["message"] for step, case in found.items() if case.find("skipped") is not None
    }
    assert "blocked by phase_3_readiness.train_report_emitted" in skipped["phase_3_readiness.exit_clean"]
    assert "phase_4_artifacts.learned" in skipped
    suite = properties(root.find("testsuite"))
    assert {key: suite[key] for key in KEYS} == dict(session.block)
    assert suite["run_id"] == session.run_id
    assert "::error::" not in session.stdout
    assert violations(root, family) == []
    assert f". Next: {session.block['next_unblock_action']}" in failure.attrib["message"]
    assert "step: phase_3_readiness.train_report_emitted" in failure.text
    assert "(train_failed/trainer_exit_nonzero)" in skipped["phase_4_artifacts.bound_to_this_run"]


def test_a_run_that_succeeds_has_one_passing_testcase_per_step(bench: Bench, tmp_path: Path) -> None:
    bench.run("-q", f"--junitxml={tmp_path / 'junit.xml'}")
    root = ET.parse(tmp_path / "junit.xml").getroot()
    suite, found = root.find("testsuite"), cases(root)
    assert (suite.attrib["tests"], suite.attrib["failures"], suite.attrib["errors"]) == (str(len(STEP_IDS)), "0", "0")
    assert all(found[step.id].find("skipped") is None for step in STEPS)


def test_an_interrupted_step_is_a_failure_with_a_name(bench: Bench, tmp_path: Path) -> None:
    process = bench.start("-q", f"--junitxml={tmp_path / 'junit.xml'}", env={"VOICE_ENV__TINY_MODE": "hang"})
    bench.running_job(process)
    process.send_signal(signal.SIGTERM)
    collect(process)
    found = cases(ET.parse(tmp_path / "junit.xml").getroot())
    assert list(found) == STEP_IDS[: STEP_IDS.index("phase_3_readiness.train_report_emitted") + 1]
    failure = found["phase_3_readiness.train_report_emitted"].find("failure")
    assert "/interrupted: the session was interrupted. Next: " in failure.attrib["message"]


def failures(root: ET.Element) -> dict[str, str]:
    """Message of each failing testcase."""
    return {
        name: case.find("failure").attrib["message"]
        for name, case in cases(root).items()
        if case.find("failure") is not None
    }


def read(file: Path) -> ET.Element:
    """A JUnit file that every schema allows."""
    root = ET.parse(file).getroot()
    assert violations(root, "junit-10") == violations(root, "xunit2") == []
    suite = root.find("testsuite")
    assert int(suite.attrib["failures"]) == len(failures(root))
    return root


@pytest.mark.parametrize(
    ("arguments", "missing"),
    [
        (("-k", "preflight"), "phase_5_report.report_complete: was not run"),
        (("--deselect=acceptance/test_4_artifacts.py::test_learned",), "phase_4_artifacts.learned: was not run"),
    ],
    ids=["one phase", "one step left out"],
)
def test_a_session_that_did_not_judge_everything_has_one_failing_testcase_that_says_what_is_missing(
    bench: Bench, tmp_path: Path, arguments: tuple[str, ...], missing: str
) -> None:
    session = bench.run("-q", f"--junitxml={tmp_path / 'junit.xml'}", *arguments)
    root = read(tmp_path / "junit.xml")
    assert (session.returncode, list(failures(root))) == (1, ["objective"])
    assert (
        failures(root)["objective"]
        == f"none/not_judged: not every step was judged. Next: {session.block['next_unblock_action']}"
    )
    assert missing in cases(root)["objective"].find("failure").text
    assert cases(root)["objective"].attrib["classname"] == "acceptance"


def test_a_session_that_selects_no_step_is_a_failure_in_the_file_too(bench: Bench, tmp_path: Path) -> None:
    session = bench.run("-q", f"--junitxml={tmp_path / 'junit.xml'}", "-k", "no_step_is_called_so")
    root = read(tmp_path / "junit.xml")
    assert (session.returncode, list(failures(root))) == (5, ["objective"])
    assert failures(root)["objective"].startswith("none/not_judged: no step was judged. Next: ")


def test_guardrails_alone_are_judged_by_themselves(bench: Bench, tmp_path: Path) -> None:
    session = bench.run("-q", f"--junitxml={tmp_path / 'junit.xml'}", "-k", "policy_complete")
    assert (session.returncode, failures(read(tmp_path / "junit.xml"))) == (0, {})


def test_a_small_lfs_pointer_is_one_failure_that_tells_the_next_step(bench: Bench, tmp_path: Path) -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 6000000\n"
    (bench.workspace / "data/recording.wav").write_text(pointer)
    session = bench.run("-q", f"--junitxml={tmp_path / 'junit.xml'}", "-k", "preflight")
    found = failures(read(tmp_path / "junit.xml"))
    assert list(found) == ["phase_1_preflight.audio_size"] == [session.block["first_failed_step"]]
    assert found["phase_1_preflight.audio_size"].startswith("data_blocked/lfs_pointer: ")
    assert "git lfs pull" in found["phase_1_preflight.audio_size"]
    blocked = cases(ET.parse(tmp_path / "junit.xml").getroot())["phase_1_preflight.audio_not_lfs_pointer"].find(
        "skipped"
    )
    assert "blocked by phase_1_preflight.audio_size (data_blocked/lfs_pointer)" in blocked.attrib["message"]


def test_each_of_two_real_causes_tells_its_own_next_step(bench: Bench, tmp_path: Path) -> None:
    (bench.workspace / "data/recording.wav").unlink()
    missing = ("--runtime=docker", f"--junitxml={tmp_path / 'junit.xml'}")
    session = bench.run("-q", *missing, "-k", "preflight", env={"DOCKER_HOST": "unix:///nonexistent.sock"})
    found = failures(read(tmp_path / "junit.xml"))
    assert list(found) == ["phase_1_preflight.audio_exists", "phase_1_preflight.docker_daemon"]
    actions = {step: message.partition(". Next: ")[2] for step, message in found.items()}
    assert actions["phase_1_preflight.docker_daemon"] == session.block["next_unblock_action"]
    also = next(line for line in session.stdout.splitlines() if line.startswith("  also failed: "))
    assert (
        also
        == f"  also failed: phase_1_preflight.audio_exists: data_blocked/audio_missing; next: {actions['phase_1_preflight.audio_exists']}"
    )
    rows = {row["step"]: row.get("next_unblock_action") for row in session.report["steps"]}
    assert rows["phase_1_preflight.audio_exists"] == actions["phase_1_preflight.audio_exists"]


@pytest.mark.parametrize("place", ["/dev/null/junit.xml", "/proc/no/junit.xml"])
def test_a_place_where_no_file_can_be_is_refused_before_anything_runs(bench: Bench, place: str) -> None:
    session = bench.run("-q", f"--junit-xml={place}")
    assert (session.returncode, session.stdout.strip()) == (4, "")
    assert session.stderr.startswith(f"ERROR: --junit-xml={place} cannot be written: ")
    assert "Traceback" not in session.stderr
    assert sorted(path.name for path in bench.workspace.iterdir()) == ["data"]


def test_the_check_of_the_place_leaves_a_file_and_a_pipe_as_they_are(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "junit.xml").write_text("earlier")
    os.mkfifo(tmp_path / "pipe")
    assert bench.run("-q", "--fixtures", f"--junit-xml={tmp_path / 'junit.xml'}").returncode == 0
    for name in ("new.xml", "junit.xml", "pipe", "made/for/it.xml"):
        assert unwritable_junit(SimpleNamespace(option=SimpleNamespace(xmlpath=str(tmp_path / name)))) is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["junit.xml", "made", "pipe"]
