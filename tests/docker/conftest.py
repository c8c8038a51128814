"""What the script tests share: the project's root, and an engine that answers or a reason to skip."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def project() -> Path:
    """Root of the project."""
    return Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def docker_cli() -> str:
    """Path of the docker command, with an engine behind it."""
    docker = shutil.which("docker")
    if docker is None:
        pytest.skip("no docker command")
    answer = subprocess.run([docker, "version"], capture_output=True, timeout=30, check=False)
    if answer.returncode != 0:
        pytest.skip("no Docker engine answers")
    return docker
