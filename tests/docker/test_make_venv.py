"""The environment comes from the wheelhouse alone, once, and says what to do when it cannot be made."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docker.synthetic_wheel import lock_line, write_wheel

pytestmark = pytest.mark.long


class Site:
    """The scripts with a wheelhouse of one small wheel."""

    def __init__(self, directory: Path) -> None:
        self.docker = directory / "docker"
        self.venv = directory / "environment"
        self.env = os.environ | {"PYTHON": sys.executable, "PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1"}
        self.env["PIP_FIND_LINKS"] = str(directory / "index")

    def furnish(self, project: Path) -> None:
        """Copy the scripts; locks ask for `alpha` alone."""
        (self.docker / "requirements").mkdir(parents=True)
        for name in ("make_venv.sh", "make_wheelhouse.py", "repack_wheel.py", "wheel_download.py"):
            shutil.copy(project / "docker" / name, self.docker)
        for name in ("image", "musicgen"):
            (self.docker / "requirements" / f"{name}.lock").write_text("")
        self.offer("1.0")

    def offer(self, version: str) -> None:
        """Let the index have this version of `alpha`, and the lock ask for it."""
        wheel = write_wheel(
            Path(self.env["PIP_FIND_LINKS"]), "alpha", version, {"alpha.py": f"version = {version!r}\n".encode()}
        )
        (self.docker / "requirements" / "host.lock").write_text(lock_line("alpha", version, wheel.read_bytes()))

    def run(self, **env: str) -> subprocess.CompletedProcess[str]:
        command = ["bash", str(self.docker / "make_venv.sh"), str(self.venv)]
        return subprocess.run(command, env=self.env | env, capture_output=True, text=True, timeout=120, check=False)

    def version(self) -> str:
        command = [str(self.venv / "bin" / "python"), "-c", "import alpha; print(alpha.version)"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def site(project: Path, tmp_path: Path) -> Site:
    """One without an environment."""
    site = Site(tmp_path)
    site.furnish(project)
    return site


@pytest.fixture(scope="module")
def first(project: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Site, list[str]]:
    """One whose environment was made, not to be changed, and what that printed."""
    site = Site(tmp_path_factory.mktemp("first"))
    site.furnish(project)
    lock = site.docker / "requirements" / "host.lock"
    lock.write_text(f"# 1 wheels: 437 MB to fetch, 1700 MB installed.\n{lock.read_text()}")
    made = site.run()
    assert made.returncode == 0, made.stderr
    return site, made.stdout.splitlines()


@pytest.fixture
def made(first: tuple[Site, list[str]], tmp_path: Path) -> Site:
    """A copy of it: making an environment takes seconds."""
    shutil.copytree(first[0].docker.parent, tmp_path / "copy", symlinks=True)
    return Site(tmp_path / "copy")


def test_it_is_made_once_and_again_for_a_changed_lock(made: Site) -> None:
    assert made.version() == "1.0"
    assert list(made.venv.glob("lib/python*/site-packages/__pycache__/alpha.*.pyc"))
    assert "is up to date" in made.run().stdout
    made.offer("2.0")
    assert made.run().returncode == 0
    assert made.version() == "2.0"


def test_an_unfinished_environment_is_made_anew(made: Site) -> None:
    (made.venv / "made-from.sha256").unlink()
    shutil.rmtree(made.venv / "bin")
    assert made.run().returncode == 0
    assert made.version() == "1.0"


def test_a_directory_that_is_no_environment_is_not_touched(site: Site) -> None:
    site.venv.mkdir()
    (site.venv / "thesis.txt").write_text("years of work")
    done = site.run()
    assert (done.returncode, "is no virtual environment" in done.stderr) == (1, True)
    assert (site.venv / "thesis.txt").read_text() == "years of work"


def test_another_python_is_refused_with_the_next_step(site: Site) -> None:
    done = site.run(PYTHON="/bin/false")
    assert (done.returncode, "Next step:" in done.stderr) == (1, True)


@pytest.mark.parametrize(("system", "machine"), [("Darwin", "arm64"), ("Linux", "aarch64")])
def test_another_machine_is_refused_before_anything_is_fetched(
    site: Site, tmp_path: Path, system: str, machine: str
) -> None:
    (tmp_path / "bin").mkdir()
    uname = tmp_path / "bin" / "uname"
    uname.write_text(f'#!/bin/sh\n[ "$1" = -s ] && echo {system} || echo {machine}\n')
    uname.chmod(0o755)
    done = site.run(PATH=f"{uname.parent}:{os.environ['PATH']}")
    assert (done.returncode, done.stdout) == (1, "")
    assert f"this machine is {system} {machine}; the pinned wheels are for Linux on x86-64. Next step:" in done.stderr


def test_the_cost_is_told_before_the_work_and_each_set_when_it_is_done(first: tuple[Site, list[str]]) -> None:
    site, lines = first
    assert lines[0] == "to fetch: 437 MB of wheels (image, host)"
    assert lines[1].startswith(f"to install: {site.venv}, 1.7 GB (image, host); about ")
    assert [line for line in lines if "host installed (" in line and line.endswith(" s)")]


def test_the_packages_of_a_backbone_come_on_request_and_stay(made: Site) -> None:
    beta = write_wheel(Path(made.env["PIP_FIND_LINKS"]), "beta", "1.0", {"beta.py": b""})
    (made.docker / "requirements" / "musicgen.lock").write_text(lock_line("beta", "1.0", beta.read_bytes()))
    installed = made.venv / "lib" / "python3.11" / "site-packages" / "beta.py"
    assert not installed.exists()
    assert not (made.docker / "wheelhouse" / "musicgen").exists()
    added = made.run(EXTRAS="musicgen")
    assert (added.returncode, installed.exists(), "installing host" in added.stdout) == (0, True, False), added.stderr
    assert "is up to date" in made.run().stdout
    made.offer("2.0")
    assert (made.run().returncode, made.version(), installed.exists()) == (0, "2.0", True)


def test_an_unknown_extra_is_refused(site: Site) -> None:
    done = site.run(EXTRAS="numpy")
    assert (done.returncode, "EXTRAS=numpy: there is no such set. Next step: EXTRAS=musicgen" in done.stderr) == (
        1,
        True,
    )


def test_a_python_without_ensurepip_names_the_package_to_install(site: Site, tmp_path: Path) -> None:
    broken = tmp_path / "python3.11"
    broken.write_text(f'#!/bin/sh\ncase "$*" in *"-m venv"*) exit 1 ;; esac\nexec {sys.executable} "$@"\n')
    broken.chmod(0o755)
    done = site.run(PYTHON=str(broken))
    assert (done.returncode, "sudo apt-get install -y python3-venv" in done.stderr) == (1, True)
    assert not (site.venv / "made-from.sha256").exists()


def test_the_program_of_the_tree_is_installed(made: Site, project: Path) -> None:
    wheels = list((project / "docker" / "wheelhouse" / "image").glob("setuptools-*.whl"))
    if not wheels:
        pytest.skip("no wheelhouse with setuptools: make wheelhouse")
    shutil.copy(wheels[0], made.env["PIP_FIND_LINKS"])
    (made.docker / "requirements" / "image.lock").write_text(
        lock_line("setuptools", wheels[0].name.split("-")[1], wheels[0].read_bytes())
    )
    root = made.docker.parent
    (root / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        '[project]\nname = "spoken"\nversion = "1"\n[project.scripts]\nspoken = "spoken:main"\n[tool.setuptools]\npy-modules = ["spoken"]\n'
    )
    (root / "spoken.py").write_text("def main():\n    print('from the tree')\n")
    done = made.run()
    assert done.returncode == 0, done.stderr
    said = subprocess.run([str(made.venv / "bin" / "spoken")], capture_output=True, text=True, check=True)
    assert said.stdout == "from the tree\n"
