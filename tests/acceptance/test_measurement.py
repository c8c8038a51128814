"""Measuring ahead: what was measured while the job trained counts for the very manifest it was measured on, and for nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from acceptance import settings
from acceptance.failure import RuntimeBlocked, TrainFailed
from acceptance.measurement import DATA_MARKER, Measurement
from acceptance.settings import Settings
from trainer import checkpoint
from trainer.backbones.vocoder import evaluation
from trainer.vocoder import Vocoder, VocoderConfig

NETWORK = {"WIDTH": 16, "HIDDEN": 32, "BLOCKS": 1, "HELDOUT_SECONDS": 6.0}


@pytest.fixture
def objective() -> Settings:
    return settings.load("demo", overrides=["backbone=vocoder", *(f"env.VOICE_TRAIN_{name}={value}" for name, value in NETWORK.items())])


@pytest.fixture
def manifest(small_manifest: Path, objective: Settings, tmp_path: Path) -> Path:
    place = tmp_path / objective.manifest
    shutil.copytree(small_manifest.parent, place.parent)
    return (place.parent / small_manifest.name).rename(place)


@pytest.fixture
def voice(tmp_path: Path) -> Path:
    model = Vocoder.untrained(VocoderConfig(width=16, hidden=32, blocks=1), seed=1)
    model.output.bias.data += 0.1
    checkpoint.save(tmp_path / "voice.pt", {
        "format": checkpoint.FORMAT, "version": checkpoint.VERSION, "config": model.config.as_dict(), "model": model.state_dict(),
        "features": {}, "speaker": {}, "training": {},
    })  # fmt: skip
    return tmp_path / "voice.pt"


@pytest.fixture
def baselines(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The manifests on which the untrained start was measured, in order."""
    measured: list[Path] = []
    original: Callable[..., evaluation.Baseline] = evaluation.baseline

    def counted(path: Path, *arguments: object, **options: object) -> evaluation.Baseline:
        measured.append(path)
        return original(path, *arguments, **options)

    monkeypatch.setattr(evaluation, "baseline", counted)
    return measured


def test_what_was_measured_ahead_is_used_and_gives_the_same_losses(objective, manifest, voice, baselines) -> None:
    at_once = Measurement(objective, manifest.parents[3]).losses(voice)
    ahead = Measurement(objective, manifest.parents[3])
    ahead.begin()
    ahead.hear(DATA_MARKER)
    assert ahead.losses(voice) == at_once
    assert len(baselines) == 2, "one measurement at once, one ahead, none again"


def test_a_manifest_changed_after_the_marker_is_measured_again(objective, manifest, voice, baselines) -> None:
    ahead = Measurement(objective, manifest.parents[3])
    ahead.begin()
    ahead.hear(DATA_MARKER)
    ahead.finish()
    manifest.write_bytes(manifest.read_bytes() + b"\n")
    ahead.losses(voice)
    assert len(baselines) == 2


def test_without_the_marker_nothing_is_waited_for(objective, manifest, voice, baselines) -> None:
    ahead = Measurement(objective, manifest.parents[3])
    ahead.begin()
    ahead.hear("PROGRESS 1 2 loss=1")
    ahead.losses(voice)
    assert len(baselines) == 1


def test_a_pipe_in_the_manifests_place_is_refused_and_blocks_nobody(objective, manifest, voice) -> None:
    manifest.unlink()
    os.mkfifo(manifest)
    ahead = Measurement(objective, manifest.parents[3])
    ahead.begin()
    ahead.hear(DATA_MARKER)
    with pytest.raises(TrainFailed) as caught:
        ahead.losses(voice)
    assert caught.value.cause == "manifest_invalid"


def test_a_manifest_that_fails_ahead_fails_again_where_it_is_reported(objective, manifest, voice) -> None:
    manifest.write_text("{")
    ahead = Measurement(objective, manifest.parents[3])
    ahead.begin()
    ahead.hear(DATA_MARKER)
    with pytest.raises(TrainFailed) as caught:
        ahead.losses(voice)
    assert caught.value.cause == "manifest_invalid"


def test_weights_that_the_host_lacks_are_a_runtime_matter_and_no_fault_of_the_manifest(manifest, voice, tmp_path) -> None:
    overrides = ["backbone=musicgen-small", "weights=nowhere", "weights_licence=CC-BY-NC-4.0"]
    with pytest.raises(RuntimeBlocked) as caught:
        Measurement(settings.load("demo", overrides=overrides), tmp_path).losses(voice)
    assert caught.value.cause == "weights_missing"


def test_an_interpreter_that_ends_while_torch_is_being_loaded_ends_in_order(tmp_path) -> None:
    """Without `close` one end in a few was an abort (SIGABRT): the moments are spread over the load."""
    program = (
        "import sys, time, pathlib\n"
        "from acceptance import settings\n"
        "from acceptance.measurement import Measurement\n"
        "ahead = Measurement(settings.load('demo'), pathlib.Path(sys.argv[1]))\n"
        "ahead.begin()\n"
        "time.sleep(float(sys.argv[2]))\n"
        "ahead.close()\n"
    )
    for moment in (0.0, 0.2, 0.5, 0.8, 1.1, 1.5):
        ended = subprocess.run([sys.executable, "-c", program, str(tmp_path), str(moment)], capture_output=True, text=True, timeout=60)
        assert (ended.returncode, ended.stderr) == (0, ""), moment
