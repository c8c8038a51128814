"""Guardrails need little: they run where nothing is installed but what their workflow installs, and without any POSIX-only module."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from acceptance.objective import PROJECT_ROOT
from acceptance.steps import GUARDRAILS
from tests.acceptance.harness import environment

WORKFLOW = (PROJECT_ROOT / ".github/workflows/guardrails.yml").read_text(encoding="utf-8")
INSTALLED = re.search(r"pip install ((?:--constraint \S+\s+)+)([\w. -]+)\n", WORKFLOW)[2].split()


def lean(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A session that finds only the distributions that the workflow installs."""
    program = Path(__file__).with_name("lean.py")
    command = [
        sys.executable,
        str(program),
        *INSTALLED,
        "--",
        "-p",
        "pytest_order.plugin",
        "-p",
        "no:cacheprovider",
        *arguments,
    ]
    env = environment({"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})
    return subprocess.run(command, cwd=PROJECT_ROOT, env=env, capture_output=True, text=True, timeout=60, check=False)


def test_all_guardrails_run_without_torch_docker_and_posix_modules(tmp_path: Path) -> None:
    session = lean("acceptance", "-k", "guardrails", "-q", "-rs", f"--workspace={tmp_path}")
    said = session.stdout + session.stderr
    outcomes = [
        int(number) for number in re.search(r"guardrails: (\d+) hold, (\d+) fail, (\d+) skipped", said).groups()
    ]
    assert sum(outcomes) == len(GUARDRAILS), said
    assert session.returncode == (1 if outcomes[1] else 0), said
    assert "internal_error" not in said
    assert "20 deselected" in said


def test_the_objective_is_refused_there_in_one_sentence(tmp_path: Path) -> None:
    session = lean("acceptance", "-q", f"--workspace={tmp_path}")
    assert session.returncode == 4
    assert session.stderr.strip().splitlines() == [
        "ERROR: phases 1 to 5 cannot run with this Python: module fcntl is missing (they need Linux and `make venv`); "
        "the guardrails can: pytest acceptance -k guardrails"
    ]
    assert list(tmp_path.iterdir()) == []


def test_the_modules_are_really_absent_there(tmp_path: Path) -> None:
    modules = ["torch", "docker", "numpy", "soundfile", "fcntl", "resource", "termios", "hypothesis"]
    (tmp_path / "conftest.py").write_text("")
    (tmp_path / "test_it.py").write_text("".join(f"def test_{module}():\n    import {module}\n" for module in modules))
    session = lean("-q", f"--rootdir={tmp_path}", "-c", "/dev/null", str(tmp_path / "test_it.py"))
    said = re.findall(r"^E +ModuleNotFoundError: No module named '(\w+)'", session.stdout, re.MULTILINE)
    assert said == modules, session.stdout + session.stderr


def test_the_versions_are_the_projects_own() -> None:
    lists = {
        name: (PROJECT_ROOT / "docker/requirements" / f"{name}.txt").read_text(encoding="utf-8")
        for name in ("host", "image")
    }
    pinned = {
        re.sub(r"[-_.]+", "-", name).lower()
        for text in lists.values()
        for name in re.findall(r"^([\w.-]+)==", text, re.MULTILINE)
    }
    assert {re.sub(r"[-_.]+", "-", name).lower() for name in INSTALLED} <= pinned
    assert all(f"--constraint docker/requirements/{name}.txt" in WORKFLOW for name in lists)


def test_the_workflow_runs_on_both_systems_with_the_whole_history() -> None:
    assert "os: [ubuntu-latest, windows-latest]" in WORKFLOW
    assert "fetch-depth: 0" in WORKFLOW
    assert re.search(r"push:\n    branches: \[main\]\n  pull_request:\n    branches: \[main\]\n", WORKFLOW)
    assert "make guardrails ARGS=" in WORKFLOW and "./run-guardrails.ps1 -ra" in WORKFLOW
    assert WORKFLOW.count("--junit-xml=artifacts/ci/guardrails.xml") == 2
