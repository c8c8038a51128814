"""The package as a wheel beside another project: `pytest --pyargs acceptance` judges there, and that project's own tests notice nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from acceptance.objective import PROJECT_ROOT
from acceptance.report.block import BEGIN
from acceptance.steps import ALL_STEPS
from tests.acceptance.fleet import folders
from tests.acceptance.harness import environment

pytest.importorskip("setuptools", reason="setuptools builds the wheel")


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment in which the wheel is installed, and everything else is as here."""
    directory = tmp_path_factory.mktemp("installed")
    source = directory / "source"
    source.mkdir()
    for name in ("acceptance", "trainer"):
        shutil.copytree(PROJECT_ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copyfile(PROJECT_ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", directory, source],
        check=True,
        capture_output=True,
    )
    (wheel,) = directory.glob("*.whl")
    venv.create(directory / "venv", symlinks=True)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(directory / "venv")}))
    (site / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    subprocess.run(
        [*pip, "install", "--quiet", "--no-deps", "--no-index", "--target", site, wheel],
        check=True,
        capture_output=True,
    )
    return directory / "venv/bin/python"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Somebody's project, with a test, a fixture and a folder that could be taken for ours."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_own.py").write_text(
        "import os, sys\n"
        "def test_own(settings, pytestconfig):\n"
        "    assert settings == 'own'\n"
        "    assert not [name for name in sys.modules if name.split('.')[0] in ('torch', 'docker', 'trainer', 'pydantic')]\n"
        "    assert not pytestconfig.pluginmanager.has_plugin('acceptance.session.plugin')\n"
    )
    (tmp_path / "tests/conftest.py").write_text("import pytest\n@pytest.fixture\ndef settings():\n    return 'own'\n")
    return tmp_path


def run(python: Path, project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(python), "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    kept = environment({"DOCKER_HOST": "unix:///nonexistent.sock", "PYTHONPYCACHEPREFIX": str(project / ".bytecode")})
    return subprocess.run(
        command, cwd=project, env=kept, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def test_the_phases_of_an_installed_package_run_in_another_project_in_order(python: Path, project: Path) -> None:
    listed = run(python, project, "--pyargs", "acceptance", "--collect-only", "-q")
    names = [line.rpartition("::")[2].removeprefix("test_") for line in listed.stdout.splitlines() if "::test_" in line]
    assert names == [step.check for step in ALL_STEPS], listed.stdout + listed.stderr
    session = run(python, project, "--pyargs", "acceptance", "-q", "-k", "preflight")
    assert session.returncode == 1, session.stdout + session.stderr
    assert "fixture" not in session.stdout
    block = session.stdout.partition(BEGIN)[2]
    assert "first_failed_step: phase_1_preflight.docker_daemon\n" in block
    assert "root_cause_class: environment_blocked\n" in block
    assert (project / "artifacts/latest/report.json").is_file(), "the project is the workspace"


def test_the_tests_of_a_project_beside_the_package_notice_nothing(python: Path, project: Path) -> None:
    session = run(python, project)
    assert (session.returncode, session.stderr) == (0, "")
    assert "1 passed" in session.stdout and BEGIN not in session.stdout
    spread = run(python, project, "-n", "1")
    assert (spread.returncode, "1 passed" in spread.stdout) == (0, True), spread.stdout + spread.stderr
    assert not (project / "artifacts").exists()


def test_another_package_called_trainer_is_a_usage_error_that_names_it(python: Path, project: Path) -> None:
    other = project / "elsewhere/trainer"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text("")
    command = [str(python), "-m", "pytest", "-p", "no:cacheprovider", "--pyargs", "acceptance", "-q", "-k", "preflight"]
    kept = environment({"PYTHONPATH": os.fspath(other.parent), "PYTHONPYCACHEPREFIX": str(project / ".bytecode")})
    session = subprocess.run(
        command, cwd=project, env=kept, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert session.returncode == 4
    assert f"another package called `trainer` is found first: {other}" in session.stderr
    assert "Traceback" not in session.stderr


def test_a_fleet_of_an_installed_package_runs_its_sessions(python: Path, project: Path) -> None:
    (project / "voices").mkdir()
    (project / "voices/Amy 1.flac").write_bytes(folders.POINTER)
    command = [str(python), "-m", "acceptance.cli", "fleet", "voices", "--output", "fleet", "--runtime", "process"]
    kept = environment({"PYTHONPYCACHEPREFIX": str(project / ".bytecode")})
    ended = subprocess.run(command, cwd=project, env=kept, capture_output=True, text=True, check=False)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    row = folders.rows(project / "fleet")["amy_1"]
    assert (row["verdict"], row["failure_class"], row["cause"]) == ("blocked", "data_blocked", "lfs_pointer"), row
