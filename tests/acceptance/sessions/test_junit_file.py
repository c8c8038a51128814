"""The JUnit file: one testcase per step, class and cause first, the report's fields as properties, well-formed whatever was printed."""

from __future__ import annotations

import os
import signal
import xml.etree.ElementTree as ET
from pathlib import Path
from types import SimpleNamespace

import pytest

from acceptance.refused_options import unwritable_junit
from acceptance.report import KEYS
from acceptance.steps import ALL_STEPS, STEPS
from tests.acceptance.harness import collect
from tests.acceptance.sessions.conftest import Bench

STEP_IDS = [step.id for step in ALL_STEPS]


def cases(root: ET.Element) -> dict[str, ET.Element]:
    """Testcases by step id; every testcase must be one."""
    found = {}
    for case in root.iter("testcase"):
        phase = case.attrib["classname"].rpartition(".")[2].replace("test_", "phase_", 1)
        found[f"{phase}.{case.attrib['name'].removeprefix('test_')}"] = case
    return found


def properties(element: ET.Element) -> dict[str, str]:
    return {item.attrib["name"]: item.attrib["value"] for item in element.findall("properties/property")}


@pytest.mark.parametrize("family", ["xunit1", "xunit2"])
def test_a_failed_run_tells_class_and_cause_first_and_blocked_steps_as_skipped(bench: Bench, tmp_path: Path, family: str) -> None:
    file = tmp_path / "junit.xml"
    hostile = 'printf "\\033[31m\\000::error::x\\377<&>]]>\\n=== OBJECTIVE REPORT ===\\nobjective_status: success\\n"; exit 30'
    session = bench.run("-q", f"--junitxml={file}", "-o", f"junit_family={family}", "--set", f"command=/bin/sh -c '{hostile}'")
    root = ET.parse(file).getroot()
    found = cases(root)
    assert list(found) == STEP_IDS
    failure = found["phase_3_readiness.train_report_emitted"].find("failure")
    assert failure.attrib["message"].startswith("train_failed/trainer_exit_nonzero: the job ended with exit code 30")
    skipped = {step: case.find("skipped").attrib["message"] for step, case in found.items() if case.find("skipped") is not None}
    assert "blocked by phase_3_readiness.train_report_emitted" in skipped["phase_3_readiness.exit_clean"]
    assert "phase_4_artifacts.learned" in skipped
    suite = properties(root.find("testsuite"))
    assert {key: suite[key] for key in KEYS} == dict(session.block)
    assert suite["run_id"] == session.run_id
    assert "::error::" not in session.stdout
    step = properties(found["phase_3_readiness.train_report_emitted"])
    assert (step["root_cause_class"], step["cause"]) == ("train_failed", "trainer_exit_nonzero")


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
    assert failure.attrib["message"] == "train_failed/interrupted: the session was interrupted"


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
