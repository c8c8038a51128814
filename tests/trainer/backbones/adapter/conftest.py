"""A speaker in small: hums with symbols, a tiny base, and settings that adapt in a second."""

import pytest
import torch

from tests.trainer.backbones.hum import spoken
from trainer.backbones.adapter import AdaptationSettings
from trainer.backbones.fitting_speech import Spoken
from trainer.models.acoustic import AcousticConfig, AcousticModel
from trainer.models.vocoder import Vocoder, VocoderConfig
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
