"""`voice say` speaks with the voice that the newest run certified, and with no other."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from acceptance import report, workspace
from acceptance.record import from_events
from tests.acceptance.records import IDS, session_started
from tests.trainer.synthesis import untrained_voice

ROOT = Path(__file__).resolve().parents[3]
RUN = "20260102T030405Z-1a2b3c"
LATER = "20260103T030405Z-1a2b3c"


def voice(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "acceptance.cli", *words]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A workspace whose only run passed every step, with its checkpoint."""
    path = tmp_path / report.values(from_events([session_started()]))["checkpoint_path"]
    path.parent.mkdir(parents=True)
    untrained_voice.write(path)
    write_run(tmp_path, RUN, "passed", hashlib.sha256(path.read_bytes()).hexdigest())
    return tmp_path


def write_run(directory: Path, run_id: str, outcome: str, sha256: str = "") -> None:
    run = workspace.make_run_dir(directory, run_id)
    events = [session_started(run_id), {"event": "fact", "name": "checkpoint", "value": {"sha256": sha256}}]
    events += [{"event": "step_finished", "step": step, "outcome": outcome} for step in IDS]
    events.append({"event": "session_finished", "exit_status": 0})
    (run / workspace.JOURNAL).write_text("".join(json.dumps(event) + "\n" for event in events))


def test_without_a_checkpoint_the_certified_voice_speaks(site: Path) -> None:
    said = voice("say", "Good morning.", "-o", "hello.wav", cwd=site)
    assert said.returncode == 0, said.stderr
    assert soundfile.info(site / "hello.wav").duration > 0.5


def test_after_a_blocked_run_the_voice_of_the_last_success_speaks(site: Path) -> None:
    write_run(site, LATER, "blocked")
    said = voice("say", "Good morning.", "-o", "hello.wav", cwd=site)
    assert said.returncode == 0 and f"(run {RUN})" in said.stderr


def test_a_checkpoint_that_is_not_the_certified_one_does_not_speak(site: Path) -> None:
    next(site.glob("checkpoints/*.pt")).write_bytes(b"another")
    said = voice("say", "Good morning.", "-o", "hello.wav", cwd=site)
    assert said.returncode == 2 and not (site / "hello.wav").exists()
    assert f"is not the file that run {RUN} certified" in said.stderr and "[artifact_mismatch]" in said.stderr


def test_where_nothing_was_trained_it_says_so(tmp_path: Path) -> None:
    said = voice("say", "Good morning.", "-o", "hello.wav", cwd=tmp_path)
    assert said.returncode == 2
    assert "ended in success" in said.stderr and "--checkpoint" in said.stderr


def test_help_needs_no_voice(tmp_path: Path) -> None:
    assert "--checkpoint" in voice("say", "--help", cwd=tmp_path).stdout
