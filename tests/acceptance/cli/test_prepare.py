"""`voice prepare`: the trainer's preparation, by the thresholds of the policy."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import termios
from hashlib import sha256
from pathlib import Path

import pytest

from acceptance.policy import Policy
from trainer.dataset.manifest import FILE_NAME
from trainer.preparation.prepare import PrepareSettings, prepare

pytestmark = pytest.mark.session

ROOT = Path(__file__).resolve().parents[3]


def program(*words: object, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "acceptance.cli", "prepare", *map(str, words)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | variables
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def voice(recording: Path, output: Path, *words: object, **variables: str) -> subprocess.CompletedProcess[str]:
    return program(recording, "--output", output, "--no-transcripts", *words, **variables)


def test_it_writes_what_the_job_would_and_says_what_is_in_it(small_recording: Path, tmp_path: Path) -> None:
    ours, theirs = (tmp_path / name for name in ("ours", "theirs"))
    said = voice(small_recording, ours)
    assert said.returncode == 0 and said.stderr == ""
    assert [line.split("  ")[0] for line in said.stdout.splitlines()] == [
        "recording",
        "utterances",
        "held out",
        "dropped",
        "manifest",
    ]
    prepare(
        small_recording, theirs / FILE_NAME, PrepareSettings(**Policy().preparation()), workspace=small_recording.parent
    )
    written = [
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in (ours, theirs)
    ]
    assert len(written[0]) > 2 and written[0] == written[1]


def test_a_file_that_is_no_manifest_is_not_replaced(small_recording: Path, tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("mine")
    said = voice(small_recording, tmp_path)
    assert said.returncode == 2 and "[output_exists]" in said.stderr
    assert [found.name for found in tmp_path.iterdir()] == [FILE_NAME] and (tmp_path / FILE_NAME).read_text() == "mine"


def test_json_is_the_manifests_summary_with_its_hash(small_recording: Path, tmp_path: Path) -> None:
    said = voice(small_recording, tmp_path, "--json")
    found, path = json.loads(said.stdout), tmp_path / "voice_dataset_manifest.json"
    assert said.returncode == 0 and said.stderr == ""
    assert (found["manifest"], found["sha256"]) == (str(path), sha256(path.read_bytes()).hexdigest())
    assert found["summary"] == json.loads(path.read_bytes())["summary"] and found["summary"]["counts"]["entries"] >= 2


def test_a_threshold_of_the_command_line_decides(small_recording: Path, tmp_path: Path) -> None:
    said = voice(small_recording, tmp_path, "--threshold", "audio.min_usable_s=1000")
    assert (said.returncode, said.stdout) == (2, "")
    assert "1000 s are needed" in said.stderr and said.stderr.endswith("[too_little_speech]\n")


def test_a_policy_file_decides(small_recording: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("audio:\n  min_usable_s: 1000\n")
    said = voice(small_recording, tmp_path / "out", "--policy", rules, "--json")
    assert said.returncode == 2 and json.loads(said.stdout)["cause"] == "too_little_speech"


def test_a_variable_that_the_policy_decides_is_named_and_not_used(small_recording: Path, tmp_path: Path) -> None:
    said = voice(small_recording, tmp_path, "--json", VOICE_PREPARE_MIN_USABLE_S="1000")
    notice = "VOICE_PREPARE_MIN_USABLE_S of the environment is not used: the threshold policy decides it"
    assert said.returncode == 0, said.stderr
    assert said.stderr == f"notice: {notice}\n" and json.loads(said.stdout)["notices"] == [notice]


def test_a_variable_that_the_policy_does_not_decide_counts(small_recording: Path, tmp_path: Path) -> None:
    said = voice(small_recording, tmp_path, VOICE_PREPARE_SAMPLE_RATE="16000")
    assert said.returncode == 0 and said.stderr == ""
    document = json.loads((tmp_path / "voice_dataset_manifest.json").read_bytes())
    assert {entry["sample_rate"] for entry in document["entries"]} == {16_000}


@pytest.mark.parametrize(
    ("words", "variables", "cause"),
    [
        (("/none.flac", "--output", "/tmp/never"), {}, "audio_missing"),
        (("/none.flac", "--output", "/tmp/never"), {"VOICE_PREPARE_SINGER": "1"}, "settings_invalid"),
        (("/none.flac", "--output", "/tmp/never", "--threshold", "audio.min_usable_s=some"), {}, "policy_invalid"),
        (("/none.flac",), {}, "usage"),
        (("/none.flac", "--output", "/tmp/never", "--bogus"), {}, "usage"),
        (("/none.flac", "--output", "/tmp/never", "--threads", "two"), {}, "usage"),
    ],
)
def test_what_cannot_be_prepared_ends_with_2_and_its_cause(
    words: tuple[str, ...], variables: dict[str, str], cause: str
) -> None:
    said = program(*words, "--json", **variables)
    assert said.returncode == 2 and json.loads(said.stdout)["cause"] == cause
    assert "Traceback" not in said.stderr


def test_help_shows_every_option() -> None:
    shown = program("--help").stdout
    assert all(
        name in shown
        for name in ("--output", "--workspace", "--threads", "--no-transcripts", "--policy", "--threshold", "--json")
    )


def on_a_terminal(recording: Path, output: Path, *, stop: bytes | None = None) -> tuple[int, str]:
    """(exit status, what the terminal saw) of a preparation that gets Ctrl-C when `stop` appears."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    command = [sys.executable, "-m", "acceptance.cli", "prepare", recording, "--output", output, "--no-transcripts"]
    seen = b""
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=theirs) as process:
        os.close(theirs)
        # Linux answers with an error where the other end is closed.
        with contextlib.suppress(OSError):
            while piece := os.read(ours, 65_536):
                seen += piece
                if stop is not None and stop in seen:
                    process.send_signal(signal.SIGINT)
                    stop = None
    os.close(ours)
    return process.returncode, seen.decode()


def test_a_terminal_sees_a_bar_for_each_part(small_recording: Path, tmp_path: Path) -> None:
    status, seen = on_a_terminal(small_recording, tmp_path)
    assert status == 0 and "detect: " in seen and "cut: " in seen


def test_ctrl_c_is_one_line_and_leaves_no_manifest(small_recording: Path, tmp_path: Path) -> None:
    status, seen = on_a_terminal(small_recording, tmp_path, stop=b"detect: ")
    assert status == 130 and seen.splitlines()[-1].strip() == "error: interrupted"
    assert not list(tmp_path.glob("*.json"))
