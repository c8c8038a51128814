"""`voice say` speaks with the voice that the newest run certified, and with no other."""

from __future__ import annotations

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


def voice(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "acceptance.cli", *words]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A workspace whose only run passed every step, with its checkpoint."""
    write_run(tmp_path, "passed")
    path = tmp_path / report.values(workspace.load_run(workspace.find_run(tmp_path, None)))["checkpoint_path"]
    path.parent.mkdir(parents=True)
    untrained_voice.write(path)
    return tmp_path


def write_run(directory: Path, outcome: str) -> None:
    run = workspace.make_run_dir(directory, RUN)
    events = [session_started(), *({"event": "step_finished", "step": step, "outcome": outcome} for step in IDS)]
    events.append({"event": "session_finished", "exit_status": 0})
    (run / workspace.JOURNAL).write_text("".join(json.dumps(event) + "\n" for event in events))
    assert from_events(events).run_id == RUN


def test_without_a_checkpoint_the_certified_voice_speaks(site: Path) -> None:
    said = voice("say", "Good morning.", "-o", "hello.wav", cwd=site)
    assert said.returncode == 0, said.stderr
    assert soundfile.info(site / "hello.wav").duration > 0.5


def test_a_run_that_was_not_a_success_has_no_voice_to_speak_with(tmp_path: Path) -> None:
    write_run(tmp_path, "blocked")
    said = voice("say", "Good morning.", "-o", "hello.wav", cwd=tmp_path)
    assert said.returncode == 2 and not (tmp_path / "hello.wav").exists()
    assert f"run {RUN} did not end in success" in said.stderr


def test_where_nothing_was_trained_it_says_so(tmp_path: Path) -> None:
    said = voice("say", "Good morning.", "-o", "hello.wav", cwd=tmp_path)
    assert said.returncode == 2
    assert "no voice was trained here" in said.stderr and "--checkpoint" in said.stderr


def test_help_needs_no_voice(tmp_path: Path) -> None:
    assert "--checkpoint" in voice("say", "--help", cwd=tmp_path).stdout
