"""The commands as a person types them."""

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


def trainer(*arguments: object) -> subprocess.CompletedProcess:
    environ = {**os.environ, **TINY, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run(
        [sys.executable, "-m", "trainer", *map(str, arguments)],
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def trained(small_manifest, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("checkpoint") / "voice.pt"
    result = trainer("train", small_manifest, "--checkpoint", path, "--seed", "1")
    assert result.returncode == 0, result.stderr
    assert "improvement" in result.stdout
    return path


def test_prepare_writes_a_manifest_and_says_what_is_in_it(small_recording, tmp_path):
    result = trainer("prepare", small_recording, "--output", tmp_path)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "voice_dataset_manifest.json").exists()
    for word in ("recording", "utterances", "held out", "dropped"):
        assert word in result.stdout


def test_train_leaves_a_checkpoint_and_no_state(trained):
    assert [path.name for path in trained.parent.iterdir()] == ["voice.pt"]


def test_evaluate_prints_the_learning_proof(trained, small_manifest):
    result = trainer("evaluate", trained, small_manifest, "--seed", "1")
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
    result = trainer(
        "resynthesize", trained, small_manifest, "--output", tmp_path, "--heldout-seconds", "6", "--picture"
    )
    assert result.returncode == 0, result.stderr
    lengths = {
        soundfile.info(tmp_path / f"heldout_01_{kind}.flac").frames
        for kind in ("original", "start", "trained")
    }
    assert len(lengths) == 1
    assert (tmp_path / "heldout_01.png").read_bytes().startswith(b"\x89PNG")
    rows = list(csv.DictReader((tmp_path / "distances.csv").open()))
    assert {row["kind"] for row in rows} == {"start", "trained"}


def test_render_demo_writes_more_than_five_megabytes_with_its_text(tmp_path):
    result = trainer("render-demo", tmp_path / "demo.flac")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "demo.flac").stat().st_size > 5_000_000
    assert (tmp_path / "demo.txt").stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["prepare", "/none.flac", "--output", "/tmp/never"], 10), (["train", "/none.json", "--checkpoint", "/tmp/never/c.pt"], 10),
     (["evaluate", "/none.pt", "/none.json"], 30), (["sing"], 2), ([], 2)],
)  # fmt: skip
def test_a_mistake_is_one_line_and_an_exit_code(arguments, code):
    result = trainer(*arguments)
    assert result.returncode == code
    assert "Traceback" not in result.stderr
    assert "error:" in result.stderr


def test_prepare_does_not_replace_a_file_that_is_no_manifest(small_recording, tmp_path):
    path = tmp_path / "voice_dataset_manifest.json"
    path.write_text("mine")
    result = trainer("prepare", small_recording, "--output", tmp_path)
    assert result.returncode == 10
    assert "[output_exists]" in result.stderr
    assert [found.name for found in tmp_path.iterdir()] == [path.name]
    assert path.read_text() == "mine"
