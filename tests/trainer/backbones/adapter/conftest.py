"""A speaker in small: noise and hum with symbols, a tiny base, and settings that adapt in a second."""

import math
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from tests import shared
from trainer.audio.features import HOP, SAMPLE_RATE
from trainer.backbones.adapter import AdaptationSettings, Spoken
from trainer.dataset import loading
from trainer.models.acoustic import AcousticConfig, AcousticModel
from trainer.models.vocoder import Vocoder, VocoderConfig
from trainer.teachers import espeak
from trainer.teachers.demo_sentences import SENTENCES
from trainer.text.phones import ID
from trainer.training import determinism
from trainer.voice.base import Base

ACOUSTIC = AcousticConfig(
    width=16,
    hidden=24,
    encoder_blocks=1,
    decoder_blocks=2,
    prosody_width=12,
    prosody_hidden=16,
    prosody_blocks=1,
    speaker=8,
)
VOCODER = VocoderConfig(width=16, hidden=32, blocks=1)


def spoken(seed: int, frames: int = 90) -> Spoken:
    """A hum with an envelope that follows three vowels, and a pause."""
    rng = np.random.default_rng(seed)
    times = np.arange(frames * HOP) / SAMPLE_RATE
    f0 = 120.0 + 15.0 * np.sin(2 * math.pi * times + seed)
    phase = 2 * math.pi * np.cumsum(f0) / SAMPLE_RATE
    wave = sum(np.sin(k * phase) / k for k in range(1, 12)) * 0.08 + 0.005 * rng.standard_normal(len(times))
    wave[-15 * HOP :] *= 0.01
    utterance = loading.from_wave(wave.astype(np.float32))
    symbols = [ID[name] for name in ("SIL", "AA1", "M", "IY1", ".")]
    return Spoken(
        utterance=utterance,
        symbols=torch.tensor(symbols),
        word_starts=torch.tensor([False, True, False, True, False]),
        frames=torch.tensor([2, 30, 20, frames + 1 - 67, 15]),
    )


@pytest.fixture(autouse=True)
def one_thread():
    determinism.fix(1)
    yield
    torch.set_deterministic_debug_mode("default")


@pytest.fixture(scope="session")
def training() -> list[Spoken]:
    return [spoken(seed, 80 + 7 * seed) for seed in range(4)]


@pytest.fixture(scope="session")
def held_out() -> list[Spoken]:
    return [spoken(seed, 84) for seed in (9, 10)]


@pytest.fixture(scope="session")
def base() -> Base:
    return Base(
        acoustic=AcousticModel.untrained(ACOUSTIC, seed=0).eval(), vocoder=Vocoder.untrained(VOCODER, seed=0).eval()
    )


@pytest.fixture
def settings() -> AdaptationSettings:
    return AdaptationSettings(
        acoustic_steps=6, batch_frames=200, evaluate_every=2, warmup_steps=1, learning_rate=3e-3, vocoder_steps=2,
        vocoder_own_steps=2, vocoder_batch=2, vocoder_frames=16, save_every=1,
    )  # fmt: skip


@pytest.fixture(scope="session")
def learning_settings() -> AdaptationSettings:
    """A run of seconds that learns the hum."""
    return AdaptationSettings(
        acoustic_steps=30, batch_frames=200, evaluate_every=10, warmup_steps=1, learning_rate=3e-3, tolerance=0.0, vocoder_steps=20,
        vocoder_own_steps=10, vocoder_batch=2, vocoder_frames=16, save_every=50,
    )  # fmt: skip


@pytest.fixture
def embedding() -> torch.Tensor:
    return torch.linspace(0.0, 1.0, 256)


@pytest.fixture(scope="session")
def spoken_table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The table of a folder of clips: a minute of espeak-ng; not to be changed."""
    said = SENTENCES[:18]

    def make(folder: Path) -> None:
        (folder / "clips").mkdir()
        for index, (wave, rate) in enumerate(
            espeak.speak_all([espeak.SpeechRequest(text=text) for text in said]), start=1
        ):
            soundfile.write(folder / "clips" / f"c{index:02d}.flac", wave, rate)
        (folder / "metadata.csv").write_text(
            "".join(f"c{index:02d}|{text}\n" for index, text in enumerate(said, start=1))
        )

    return shared.once(tmp_path_factory, "spoken", make) / "metadata.csv"
