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

from acceptance.record import workspace
from acceptance.record.record import from_events
from acceptance.report import block
from tests.acceptance.records import IDS, session_started
from tests.trainer.synthesis import untrained_voice

pytestmark = pytest.mark.session

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
    path = tmp_path / block.values(from_events([session_started()]))["checkpoint_path"]
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


def test_json_names_every_file_and_whose_voice_it_is(site: Path) -> None:
    (site / "text.txt").write_text(
        "Good morning.\n\N{SLIGHTLY SMILING FACE}\nGood \N{SLIGHTLY SMILING FACE} night.\n", encoding="utf-8"
    )
    said = voice("say", "--file", "text.txt", "--lines", "--output-dir", "spoken", "--json", cwd=site)
    assert said.returncode == 2, said.stderr
    found = json.loads(said.stdout)
    checkpoint = next(site.glob("checkpoints/*.pt")).relative_to(site)
    assert (found["schema"], found["checkpoint"], found["run"]) == ("say/1", str(checkpoint), RUN)
    assert [(file["path"], file["line"]) for file in found["files"]] == [("spoken/0001.wav", 1), ("spoken/0003.wav", 3)]
    for file in found["files"]:
        assert file["sha256"] == hashlib.sha256((site / file["path"]).read_bytes()).hexdigest()
        assert file["seconds"] == pytest.approx(soundfile.info(site / file["path"]).duration, abs=1e-3)
    assert [(line["line"], line["cause"]) for line in found["failed"]] == [(2, "text_empty")]
    assert found["warnings"] == ["line 3: left out what cannot be spoken: SLIGHTLY SMILING FACE"]


def test_json_of_a_named_voice_has_no_run(site: Path) -> None:
    checkpoint = str(next(site.glob("checkpoints/*.pt")))
    said = voice("say", "Good morning.", "-o", "hello.flac", "--checkpoint", checkpoint, "--json", cwd=site)
    found = json.loads(said.stdout)
    assert said.returncode == 0 and said.stderr == ""
    assert (found["checkpoint"], found["run"], found["failed"], found["warnings"]) == (checkpoint, None, [], [])
    assert [(file["path"], file["line"]) for file in found["files"]] == [("hello.flac", None)]


def test_text_tells_file_and_seconds(site: Path) -> None:
    said = voice("say", "Good morning.", "-o", "hello.wav", cwd=site)
    assert [line.split()[0] for line in said.stdout.splitlines()] == ["speech", "seconds", "real_time_factor"]


def test_standard_output_is_the_audio_and_nothing_else(site: Path) -> None:
    command = [sys.executable, "-m", "acceptance.cli", "say", "-", "-o", "-", "--format", "wav"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    said = subprocess.run(
        command, cwd=site, env=environment, input=b"Good morning.", capture_output=True, timeout=120, check=False
    )
    assert said.returncode == 0 and said.stdout.startswith(b"RIFF") and len(said.stdout) > 20_000


@pytest.mark.parametrize(
    ("words", "cause", "says"),
    [
        (("-o", "-"), "usage", "--json and -o - exclude each other"),
        ((), "usage", "one of -o/--output, --output-dir is required"),
        (("-o", "a.wav", "--output-dir", "b"), "usage", "-o/--output and --output-dir exclude each other"),
        (("-o", "a.wav", "--file", "text.txt"), "usage", "TEXT and --file exclude each other"),
        (("-o", "a.wav", "--louder"), "usage", "No such option '--louder'"),
        (("-o", "a.wav", "--check", "voice.pt"), "usage", "No such option '--check'"),
        (("-o", "a.wav", "--sample-rate", "44000"), "usage", "'44000' is not one of"),
        (("-o", "a.wav", "--rate", "fast"), "usage", "'fast' is not a valid float"),
        (("-o", "a.wav", "--rate", "9"), "settings_invalid", "rate"),
        (("-o", "a.wav", "--lines"), "usage", "--lines and --output-dir go together"),
        (("--output-dir", "out"), "usage", "--lines and --output-dir go together"),
        (("-o", "a.wav", "--format", "raw"), "usage", "the file's ending decides"),
        (("-o", "a.wav", "--threads", "0"), "usage", "0 is not in the range"),
        (("-o", "a.mp3"), "output_format", "must end in"),
    ],
)
def test_a_refusal_ends_with_2_and_its_cause(site: Path, words: tuple[str, ...], cause: str, says: str) -> None:
    said = voice("say", "Good morning.", *words, "--json", cwd=site)
    found = json.loads(said.stdout)
    assert (said.returncode, found["cause"]) == (2, cause) and says in found["error"]
    assert "Traceback" not in said.stderr and not list(site.glob("*.wav"))
