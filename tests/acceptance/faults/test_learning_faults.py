"""A trainer that trains on something else than the voice: the same job, the same entrypoint, refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from acceptance.objective import PROJECT_ROOT
from tests.acceptance.faults import site as sites
from tests.acceptance.faults.site import check_blocked, digest
from tests.acceptance.harness import Session, run_acceptance
from trainer.teachers.demo_recording import render
from trainer.teachers.demo_sentences import SENTENCES

ON_NOISE = """

_on_speech = Trainer


def Trainer(*, utterances, **others):
    import torch
    from trainer.dataset import loading
    generator = torch.Generator().manual_seed(1)
    noise = [loading.from_wave((0.05 * torch.randn(len(one.wave), generator=generator)).numpy()) for one in utterances]
    return _on_speech(utterances=noise, **others)
"""


def train(directory: Path, patch: str) -> Session:
    """A short real training, through the real entrypoint, by a copy of the trainer with `patch` at the end of its session."""
    shutil.copytree(PROJECT_ROOT / "trainer", directory / "code/trainer", ignore=shutil.ignore_patterns("__pycache__"))
    entry = directory / "code/docker/voice-train/run_voice_train.sh"
    entry.parent.mkdir(parents=True)
    shutil.copy(PROJECT_ROOT / "docker/voice-train/run_voice_train.sh", entry)
    with (directory / "code/trainer/backbones/vocoder/session.py").open("a") as module:
        module.write(patch)
    workspace = directory / "workspace"
    (workspace / "data").mkdir(parents=True)
    render(workspace / sites.AUDIO, workspace / "data/rec.txt", sentences=SENTENCES[:12])
    objective = {
        "name": "short", "runtime": "process", "min_audio_bytes": 1000, "audio": sites.AUDIO,
        "manifest": sites.MANIFEST, "status": sites.STATUS, "checkpoint": sites.CHECKPOINT, "command": [str(entry)], "backbone": "vocoder",
        "env": {"VOICE_TRAIN_STEPS": "50", "VOICE_TRAIN_EVALUATE_EVERY": "25", "VOICE_TRAIN_HELDOUT_SECONDS": "12"},
    }  # fmt: skip
    path = directory / "short.toml"
    path.write_text(sites.toml(objective))
    return run_acceptance(workspace, "--objective", str(path), timeout=240)


def test_a_short_training_on_speech_is_accepted(tmp_path: Path) -> None:
    session = train(tmp_path, "")
    assert session.block["objective_status"] == "success", session.stdout[-4000:]


@pytest.mark.parametrize("patch", [ON_NOISE], ids=["noise"])
def test_the_same_training_on_noise_is_no_learning(tmp_path: Path, patch: str) -> None:
    session = train(tmp_path, patch)
    audio = tmp_path / "workspace" / sites.AUDIO
    check_blocked(session, "train_failed", "phase_4_artifacts.learned", "no_learning", kept={audio: digest(audio)})
    assert not (tmp_path / "workspace" / sites.CHECKPOINT).exists()
