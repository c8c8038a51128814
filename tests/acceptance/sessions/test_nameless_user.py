"""A user id that has no name: containers and clusters run as one, without an entry in passwd and without a home."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from tests.acceptance.harness import environment, run_acceptance
from tests.acceptance.sessions.conftest import Bench
from tests.trainer.synthesis import untrained_voice

UID = 12345
NAMELESS = {"HOME": "/nonexistent", "USER": None, "LOGNAME": None, "LNAME": None, "USERNAME": None}


@pytest.fixture
def as_nameless() -> tuple[str, ...]:
    """Prefix that runs a program as a user id without a name, in a user namespace of its own."""
    prefix = ("unshare", "--user", f"--map-user={UID}", f"--map-group={UID}")
    look = "import os, pwd\nassert os.getuid() == 12345\ntry: pwd.getpwuid(12345)\nexcept KeyError: print('nameless')"
    if shutil.which("unshare") is None:
        pytest.skip("needs unshare to run a program as another user id")
    found = subprocess.run([*prefix, sys.executable, "-c", look], capture_output=True, text=True, check=False)
    if found.stdout != "nameless\n":
        pytest.skip(f"no user namespace with a user id without a name can be made: {found.stderr[-200:]}")
    return prefix


def test_a_user_without_a_name_passes_the_preflight(bench: Bench, as_nameless: tuple[str, ...]) -> None:
    session = run_acceptance(None, *bench.options("-k", "preflight"), env=NAMELESS, prefix=as_nameless)
    assert session.report is not None, session.stdout + session.stderr
    steps = {
        row["step"]: row["outcome"] for row in session.report["steps"] if row["step"].startswith("phase_1_preflight")
    }
    assert len(steps) == 6 and set(steps.values()) == {"passed"}, session.stdout


def test_a_user_without_a_name_can_make_a_voice_speak(tmp_path: Path, as_nameless: tuple[str, ...]) -> None:
    untrained_voice.write(tmp_path / "voice.pt")
    words = ["say", "Good morning.", "--checkpoint", "voice.pt", "-o", "hello.wav"]
    said = subprocess.run(
        [*as_nameless, sys.executable, "-m", "acceptance.cli", *words],
        cwd=tmp_path, env=environment(NAMELESS) | {"PYTHONPATH": str(Path(__file__).parents[3])}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    assert soundfile.info(tmp_path / "hello.wav").duration > 0.5
