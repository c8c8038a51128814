"""Seeding a base image does nothing twice and names what it lacks."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest


def seed(project: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    command = ["bash", str(project / "docker" / "seed_base_image.sh"), *arguments]
    return subprocess.run(command, env=os.environ | env, capture_output=True, text=True, timeout=60, check=False)


def test_an_image_that_exists_is_kept(project: Path, docker_cli: str) -> None:
    images = subprocess.run(
        [docker_cli, "images", "--quiet", "--no-trunc"], capture_output=True, text=True, check=True
    ).stdout.split()
    if not images:
        pytest.skip("the engine has no image")
    done = seed(project, images[0])
    assert (done.returncode, done.stdout) == (
        0,
        f"{images[0]} exists ({images[0]}), nothing to do; --force makes it anew\n",
    )


def test_an_unknown_option_is_refused(project: Path) -> None:
    done = seed(project, "--forse")
    assert (done.returncode, "usage:" in done.stderr) == (1, True)


def test_without_an_engine_the_next_step_is_named(project: Path, docker_cli: str) -> None:
    done = seed(project, "any:tag", DOCKER_HOST="unix:///nonexistent.sock")
    assert (done.returncode, "Next step: sudo docker/start_engine.sh" in done.stderr) == (1, True)


def test_an_unreachable_mirror_ends_with_its_reason_and_leaves_nothing(
    project: Path, docker_cli: str, tmp_path: Path
) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    done = seed(project, "voice-base-never:made", DEBIAN_MIRROR=f"file://{tmp_path}/no-mirror", TMPDIR=str(tmp_path))
    assert done.returncode == 1
    assert "DEBIAN_MIRROR" in done.stderr or "install -y debootstrap" in done.stderr
    assert list(tmp_path.iterdir()) == []
