"""CI is green only when tests ran, nothing failed and the report says success; workflows fit the schema."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PASSED = '<testcase classname="a" name="b"/>'
REPORT = "=== OBJECTIVE REPORT ===\nobjective_status: {}\n=== END OBJECTIVE REPORT ===\n"


def judge(tmp_path: Path, cases: str, log: str = REPORT.format("success")) -> int:
    """Exit status of check_results.py over a session with these test cases and this output."""
    (tmp_path / "junit.xml").write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
    (tmp_path / "log").write_text(log)
    command = [
        sys.executable,
        str(ROOT / ".ci" / "check_results.py"),
        "--whole",
        str(tmp_path / "junit.xml"),
        str(tmp_path / "log"),
    ]
    return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode


def test_a_passed_session_with_a_report_of_success_is_accepted(tmp_path: Path) -> None:
    assert judge(tmp_path, PASSED) == 0


@pytest.mark.parametrize(
    "cases",
    ["", PASSED + PASSED.replace("/>", "><failure/></testcase>"), PASSED.replace("/>", "><error/></testcase>"),
     PASSED + PASSED.replace("/>", "><skipped/></testcase>")],
    ids=["nothing ran", "failure", "error", "skipped"],
)  # fmt: skip
def test_a_session_that_did_not_pass_whole_is_not_accepted(tmp_path: Path, cases: str) -> None:
    assert judge(tmp_path, cases) == 1


def test_a_guardrail_that_had_nothing_to_look_at_does_not_count_against_the_session(tmp_path: Path) -> None:
    guardrail = '<testcase classname="acceptance.test_0_guardrails" name="b">{}</testcase>'
    assert judge(tmp_path, PASSED + guardrail.format("<skipped/>")) == 0
    assert judge(tmp_path, PASSED + guardrail.format("<failure/>")) == 1


@pytest.mark.parametrize(
    "log",
    ["", REPORT.format("blocked"), REPORT.format("success").replace("=== END OBJECTIVE REPORT ===", ""),
     REPORT.format("success") + REPORT.format("blocked")],
    ids=["no report", "blocked", "cut off", "blocked at last"],
)  # fmt: skip
def test_a_report_that_does_not_say_success_is_not_accepted(tmp_path: Path, log: str) -> None:
    assert judge(tmp_path, PASSED, log) == 1


def stand_in(tmp_path: Path, makefile: str) -> Path:
    """A checkout with the real .ci/run over stand-ins for what it calls."""
    (tmp_path / ".ci").mkdir()
    (tmp_path / "docker").mkdir()
    for name in ("run", "check_results.py"):
        shutil.copy(ROOT / ".ci" / name, tmp_path / ".ci")
    (tmp_path / "docker" / "start_engine.sh").write_text("#!/bin/sh\necho engine $1\n")
    (tmp_path / "docker" / "start_engine.sh").chmod(0o755)
    (tmp_path / "Makefile").write_text(".PHONY: venv test test-long base-image acceptance\n" + makefile)
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    (tmp_path / "venv" / "bin" / "python").symlink_to(sys.executable)
    return tmp_path


def ci(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (checkout / "tmp").mkdir()
    env = os.environ | {"VENV": "venv", "BASE_IMAGE": "", "TMPDIR": str(checkout / "tmp"), "RECORDING": __file__}
    command = ["bash", str(checkout / ".ci" / "run"), *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)


GREEN = """
venv base-image:
\t@true
test:
\t@echo '<testsuite>{cases}</testsuite>' > $(lastword $(subst =, ,$(ARGS)))
test-long:
\t@echo '<testsuite>{long}</testsuite>' > $(lastword $(subst =, ,$(ARGS)))
acceptance:
\t@echo '<testsuite><testcase classname="a" name="b"/></testsuite>' > $(lastword $(subst =, ,$(ARGS)))
\t@printf '=== OBJECTIVE REPORT ===\\nobjective_status: {status}\\n=== END OBJECTIVE REPORT ===\\n'
"""


@pytest.mark.skipif(
    shutil.which("debootstrap") is None, reason="debootstrap is not installed, .ci/run would install it"
)
@pytest.mark.parametrize(
    ("cases", "long", "status", "code"),
    [
        (PASSED, PASSED, "success", 0), ("", PASSED, "success", 1), (PASSED, "", "success", 1),
        (PASSED, PASSED.replace("/>", "><failure/></testcase>"), "success", 1), (PASSED, PASSED, "blocked", 1),
    ],
    ids=["all well", "no test ran", "no long test ran", "a long test failed", "report blocked"],
)  # fmt: skip
def test_the_whole_run_is_green_only_when_all_of_it_is(
    tmp_path: Path, cases: str, long: str, status: str, code: int
) -> None:
    done = ci(stand_in(tmp_path, GREEN.format(cases=cases, long=long, status=status)))
    assert done.returncode == code, done.stdout + done.stderr
    assert done.stdout.endswith("CI: success\n" if code == 0 else "CI: FAILED\n")
    assert re.search(r"^acceptance +\d+ s  ok$", done.stdout, re.MULTILINE)
    assert "engine stop" in done.stdout
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.skipif(
    shutil.which("debootstrap") is None, reason="debootstrap is not installed, .ci/run would install it"
)
def test_a_failed_stage_fails_the_run_and_is_named(tmp_path: Path) -> None:
    done = ci(
        stand_in(
            tmp_path,
            GREEN.format(cases=PASSED, long=PASSED, status="success").replace(
                "@echo '<testsuite><testcase", "@false # "
            ),
        )
    )
    assert done.returncode == 1
    assert re.search(r"^acceptance +\d+ s  FAILED \(\d+\)$", done.stdout, re.MULTILINE)


def test_an_interrupted_run_ends_its_stage_cleans_up_and_fails(tmp_path: Path) -> None:
    checkout = stand_in(tmp_path, "venv base-image:\n\t@true\ntest:\n\t@echo $$$$ >stage.pid; exec sleep 60\n")
    (checkout / "tmp").mkdir()
    env = os.environ | {"VENV": "venv", "BASE_IMAGE": "scratch", "TMPDIR": str(checkout / "tmp")}
    (checkout / "docker" / "start_engine.sh").write_text("#!/bin/sh\necho engine $1\n[ $1 = stop ]\n")
    process = subprocess.Popen(
        ["bash", str(checkout / ".ci" / "run"), "test"], env=env, stdout=subprocess.PIPE, text=True
    )
    while not (checkout / "stage.pid").exists() or not (checkout / "stage.pid").read_text().strip():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 143
    assert output.endswith("CI: FAILED\n")
    assert not Path(f"/proc/{(checkout / 'stage.pid').read_text().strip()}").exists()
    assert list((checkout / "tmp").iterdir()) == []


def test_unknown_arguments_run_nothing_and_fail(tmp_path: Path) -> None:
    done = ci(stand_in(tmp_path, ""), "--all")
    assert (done.returncode, "usage:" in done.stdout) == (2, True)


def test_there_is_a_workflow_that_runs_the_tests_and_the_pipeline() -> None:
    text = "".join(path.read_text() for path in WORKFLOWS)
    assert ".ci/run test" in text
    assert ".ci/run acceptance" in text


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_fits_the_schema(workflow: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(workflow)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_pins_its_actions_limits_its_time_and_may_only_read(workflow: Path) -> None:
    text = workflow.read_text()
    assert re.findall(r"^permissions:\n  contents: read\n\n", text, re.MULTILINE)
    assert all(re.fullmatch(r"[\w./-]+@(v\d+|[0-9a-f]{40})", used) for used in re.findall(r"uses: (\S+)", text))
    assert text.count("timeout-minutes:") == text.count("runs-on:")
