"""Threads of torch wait asleep wherever this project starts them; torch's own OpenMP library is asked, not the environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

from acceptance import objective
from acceptance.evidence import job
from trainer.wait_policy import wait_asleep

pytestmark = pytest.mark.long

PROJECT = Path(__file__).parents[2]


BASE = "trainer/voice/natural/natural.pt"
"""A file that torch reads and a program refuses as no voice."""


def spins(command: list[str], **env: str) -> str:
    """How often a thread looks before it sleeps, as OpenMP prints it when a program loads it."""
    environ = {name: value for name, value in os.environ.items() if name not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")}
    environ |= {"OMP_DISPLAY_ENV": "verbose", "OMP_NUM_THREADS": "2"} | env
    done = subprocess.run(command, env=environ, cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False)
    said = done.stdout + done.stderr
    found = [line.partition("=")[2].strip(" '") for line in said.splitlines() if "GOMP_SPINCOUNT" in line]
    assert found, f"OpenMP was never loaded: {said}"
    return found[0]


@pytest.mark.parametrize(
    "program",
    [
        ["acceptance.cli", "remeasure", BASE, "README.md"],
        ["acceptance.cli", "say", "a", f"--checkpoint={BASE}", "-o", "-"],
    ],
    ids=["voice remeasure", "voice say"],
)
def test_a_program_of_the_project_waits_asleep(program: list[str]) -> None:
    assert spins([sys.executable, "-m", *program]) == "0"


def test_the_entry_of_the_container_waits_asleep(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\nexec {sys.executable} -c 'import torch'\n")
    python.chmod(0o755)
    env = {"VOICE_PYTHON": str(python), "TRAIN_STATUS_PATH": str(tmp_path / "status.json"), "TMPDIR": str(tmp_path)}
    assert spins(["bash", "docker/voice-train/run_voice_train.sh"], **env) == "0"


def test_a_policy_that_a_person_set_stays() -> None:
    environ = {"OMP_WAIT_POLICY": "ACTIVE"}
    wait_asleep(environ)
    assert environ == {"OMP_WAIT_POLICY": "ACTIVE"}


def test_every_job_of_the_harness_is_told_to_wait_asleep_unless_the_objective_says_otherwise() -> None:
    root = PurePosixPath("/workspace")
    assert job.environment(objective.load("demo"), root, "run")["OMP_WAIT_POLICY"] == "PASSIVE"
    other = objective.load("demo", overrides=["env.OMP_WAIT_POLICY=ACTIVE"])
    assert job.environment(other, root, "run")["OMP_WAIT_POLICY"] == "ACTIVE"
