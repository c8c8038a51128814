"""The miniature model as a folder and loaded, and a few utterances as its tokens."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from tests import shared
from tests.trainer.backbones.musicgen import tiny_musicgen
from trainer.audio.features import SAMPLE_RATE
from trainer.backbones.musicgen import base as bases
from trainer.backbones.musicgen import examples, weights
from trainer.backbones.musicgen.base import MusicgenBase
from trainer.backbones.musicgen.examples import Example
from trainer.backbones.musicgen.settings import MusicgenSettings
from trainer.training import determinism
from trainer.training.held_out import HeldOut

shared.skip_without("transformers", reason="transformers is not installed: make venv EXTRAS=musicgen")
shared.skip_without("peft", reason="peft is not installed: make venv EXTRAS=musicgen")

TINY = {"steps": 6, "batch_size": 2, "learning_rate": 1e-2, "warmup_steps": 1, "evaluate_every": 3, "save_every": 1,
        "heldout_seconds": 5.0, "max_train_minutes": 0.4, "rank": 2, "alpha": 4.0, "device": "cpu"}  # fmt: skip


@pytest.fixture
def tiny_settings() -> MusicgenSettings:
    """A run of a second."""
    return MusicgenSettings(**TINY)


@pytest.fixture(scope="session")
def seeded_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pre-seeded folder; not to be changed."""
    return tiny_musicgen.write(tmp_path_factory.mktemp("weights") / "musicgen-small")


@pytest.fixture
def folder(seeded_folder: Path, tmp_path: Path) -> Path:
    """A copy of `seeded_folder` to spoil."""
    return shutil.copytree(seeded_folder, tmp_path / "musicgen-small")


@pytest.fixture
def base(seeded_folder: Path) -> MusicgenBase:
    """A freshly loaded base without adapters."""
    return bases.load(weights.inspect(seeded_folder))


@pytest.fixture(scope="session")
def speech(seeded_folder: Path) -> tuple[list[Example], HeldOut]:
    """Six utterances to train on and two to judge by, in a voice of few sounds; the control voice has others."""
    base = bases.load(weights.inspect(seeded_folder))
    generator = np.random.default_rng(5)

    def utterance(pitch: float) -> Example:
        times = np.arange(SAMPLE_RATE * 3 // 2) / SAMPLE_RATE
        steps = np.repeat(generator.choice([1.0, 1.5, 2.0], 6), len(times) // 6 + 1)[: len(times)]
        wave = 0.4 * np.sign(np.sin(2 * np.pi * pitch * steps * times)) * (0.3 + 0.7 * (np.sin(9 * times) > 0))
        return examples.encode(base, wave.astype(np.float32), "la la la", max_seconds=12.0)

    utterances = [utterance(110.0) for _ in range(8)]
    return utterances[:6], HeldOut(target=utterances[6:], control=[utterance(410.0) for _ in range(2)])


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """For networks this small a second one only waits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def fixed_threads():
    """As in a real run."""
    determinism.fix(1)
    yield
    torch.set_deterministic_debug_mode("default")
