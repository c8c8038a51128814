"""The container's entry with this backbone: exit codes, markers and what the status says of the licence."""

import io
import json
import signal
from pathlib import Path

import pytest

from tests.trainer.backbones.musicgen.conftest import TINY
from trainer.backbones.musicgen import document
from trainer.backbones.musicgen.backbone import MusicgenSmall
from trainer.job.run import run


@pytest.fixture
def environ(small_recording, seeded_folder, tmp_path):
    """The job's environment; its outputs go to `tmp_path`."""
    paths = {
        "MANIFEST_PATH": "data/manifest.json",
        "TRAIN_STATUS_PATH": "status/status.json",
        "CHECKPOINT_PATH": "voice.pt",
    }
    return {
        "RUN_ID": "run-1",
        "VOICE_WORKSPACE": str(small_recording.parent),
        "VOICE_SOURCE_AUDIO": str(small_recording),
        **{name: str(tmp_path / path) for name, path in paths.items()},
        "SEED": "3",
        "NUM_THREADS": "1",
        "VOICE_BACKBONE_NAME": "musicgen-small",
        "VOICE_BACKBONE_WEIGHTS": str(seeded_folder),
        "VOICE_BACKBONE_LICENCE": "CC-BY-NC-4.0",
        **{f"VOICE_MUSICGEN_{name.upper()}": str(value) for name, value in TINY.items()},
    }


@pytest.fixture
def execute():
    """The job in this process: (exit code, stdout)."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def call(environ):
        stdout = io.StringIO()
        return run(environ, stdout), stdout.getvalue()

    yield call
    for number, handler in handlers.items():
        signal.signal(number, handler)


def status_of(environ) -> dict:
    return json.loads(Path(environ["TRAIN_STATUS_PATH"]).read_text())


def test_a_whole_run_ends_well_and_its_files_carry_the_licence(execute, environ, monkeypatch):
    # Recognising what is said has its own tests, and takes longer than all of this.
    monkeypatch.setattr(MusicgenSmall, "transcripts", False)
    code, stdout = execute(environ)
    assert code == 0, stdout
    assert [line for line in stdout.splitlines() if line in ("model_ok", "train_started", "saved")] == [
        "model_ok",
        "train_started",
        "saved",
    ]
    assert "PROGRESS 6 6 loss=" in stdout
    status = status_of(environ)
    assert (status["status"], status["step"], status["steps_total"]) == ("completed", 6, 6)
    assert status["backbone"] == "musicgen-small"
    assert status["promotable"] is False
    assert document.load(Path(environ["CHECKPOINT_PATH"]))["licence"] == status["licence"]


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"VOICE_BACKBONE_LICENCE": ""}, "licence_not_accepted"),
        ({"VOICE_BACKBONE_WEIGHTS": "nowhere"}, "weights_missing"),
        ({"VOICE_MUSICGEN_RANK": "no"}, "settings_invalid"),
    ],
)
def test_what_is_not_allowed_or_not_there_ends_before_the_recording_is_read(changes, cause, execute, environ):
    code, stdout = execute(environ | changes)
    assert code == 20
    assert f"FAILURE cause={cause}" in stdout
    assert status_of(environ)["cause"] == cause
    assert not Path(environ["MANIFEST_PATH"]).exists()
