"""`voice train`, `remeasure`, `resynthesize` and `demo-recording` as a person types them."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

pytestmark = pytest.mark.training

TINY = {"VOICE_BACKBONE_NAME": "vocoder",
        "VOICE_TRAIN_STEPS": "4", "VOICE_TRAIN_BATCH_SIZE": "2", "VOICE_TRAIN_SEGMENT_FRAMES": "16", "VOICE_TRAIN_WIDTH": "16",
        "VOICE_TRAIN_HIDDEN": "32", "VOICE_TRAIN_BLOCKS": "1", "VOICE_TRAIN_HELDOUT_SECONDS": "6"}  # fmt: skip


def voice(*arguments: object) -> subprocess.CompletedProcess:
    environ = {**os.environ, **TINY, "PYTHONPATH": str(Path(__file__).parents[3])}
    return subprocess.run(
        [sys.executable, "-m", "acceptance.cli", *map(str, arguments)],
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def trained(small_manifest, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("checkpoint") / "voice.pt"
    result = voice("train", small_manifest, "--checkpoint", path, "--seed", "1")
    assert result.returncode == 0, result.stderr
    assert "improvement" in result.stdout
    return path


def test_train_leaves_a_checkpoint_and_no_state(trained):
    assert [path.name for path in trained.parent.iterdir()] == ["voice.pt"]


@pytest.mark.parametrize(
    "option", [("--seed", str(2**63)), ("--seed", "-1"), ("--threads", "100000"), ("--threads", "0")]
)
def test_a_number_that_torch_cannot_take_is_refused_before_anything_begins(small_manifest, tmp_path, option):
    result = voice("train", small_manifest, "--checkpoint", tmp_path / "voice.pt", *option)
    assert result.returncode == 2 and f"Invalid value for '{option[0]}'" in result.stderr
    assert not list(tmp_path.iterdir())


def test_remeasure_prints_the_learning_proof(trained, small_manifest):
    result = voice("remeasure", trained, small_manifest, "--seed", "1")
    assert result.returncode == 0, result.stderr
    names = [line.split()[0] for line in result.stdout.splitlines()]
    assert names == [
        "heldout_loss_start",
        "heldout_loss_trained",
        "improvement",
        "control_loss_start",
        "control_loss_trained",
        "control_improvement",
        "heldout_utterances",
        "heldout_seconds",
    ]


def test_resynthesize_puts_copies_beside_the_originals(trained, small_manifest, tmp_path):
    pytest.importorskip("matplotlib")
    result = voice("resynthesize", trained, small_manifest, "--output", tmp_path, "--heldout-seconds", "6", "--picture")
    assert result.returncode == 0, result.stderr
    lengths = {soundfile.info(tmp_path / f"heldout_01_{kind}.flac").frames for kind in ("original", "start", "trained")}
    assert len(lengths) == 1
    assert (tmp_path / "heldout_01.png").read_bytes().startswith(b"\x89PNG")
    rows = list(csv.DictReader((tmp_path / "distances.csv").open()))
    assert {row["kind"] for row in rows} == {"start", "trained"}


def test_demo_recording_writes_more_than_five_megabytes_with_its_text(tmp_path):
    result = voice("demo-recording", tmp_path / "demo.flac")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "demo.flac").stat().st_size > 5_000_000
    assert (tmp_path / "demo.txt").stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [(["train", "nowhere.json", "--checkpoint", "c.pt"], "manifest_invalid"), (["remeasure", "nowhere.pt", "nowhere.json"], "missing"),
     (["remeasure", __file__, __file__], "wrong_format"), (["resynthesize", __file__, __file__, "--output", "out"], "wrong_format")],
)  # fmt: skip
def test_a_mistake_is_one_line_and_no_answer(arguments, cause):
    result = voice(*arguments)
    assert result.returncode == 2
    assert (
        result.stderr.startswith("error: ")
        and result.stderr.endswith(f"[{cause}]\n")
        and result.stderr.count("\n") == 1
    )
