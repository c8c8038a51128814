"""A speaker in small: hums with symbols and times, a tiny network, and settings that adapt in a second."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from tests.trainer.backbones.hum import hummed
from trainer.backbones.natural import material
from trainer.backbones.natural.material import NaturalMaterial, Said
from trainer.backbones.natural.settings import NaturalSettings
from trainer.backbones.natural.training import NaturalAdaptation
from trainer.models.natural import NaturalConfig, NaturalModel
from trainer.models.natural.measures import TEXT_HOP
from trainer.models.speaker_encoder import DIMENSIONS
from trainer.training import determinism
from trainer.voice.natural_speaker import NaturalSpeaker

CONFIG = NaturalConfig(
    text_width=8, text_rounds=1, melody_width=8, melody_rounds=1, width=16, hidden=24, blocks=1, kernel=3
)
SETTINGS = NaturalSettings(
    spectral_steps=4, adversarial_steps=3, batch=1, segment_frames=32, judged_frames=16, warmup_steps=1,
    learning_rate=5e-3, evaluate_every=3, save_every=1, average=0.5,
)  # fmt: skip
HIGHEST_HZ = 10_000.0


def said(seed: int, frames: int) -> Said:
    source = hummed(seed, frames)
    wave = material.at_24_khz(source)
    total = len(wave) // TEXT_HOP
    lengths = [2, total // 3, total // 4, 1]
    return Said(
        symbols=torch.tensor([0, 69, 55, 4, 0]),
        frames=torch.tensor([*lengths, total - sum(lengths)]),
        source=source,
        **material._measured(wave, 120.0),
    )


@pytest.fixture(autouse=True)
def one_thread():
    determinism.fix(1)
    yield
    torch.set_deterministic_debug_mode("default")


@pytest.fixture(scope="session")
def gathered() -> NaturalMaterial:
    return NaturalMaterial(
        training=tuple(said(seed, 80 + 7 * seed) for seed in range(3)),
        held_out=tuple(said(seed, 84) for seed in (9, 10)),
        speaker=NaturalSpeaker(f0=0.7),
        vector=F.normalize(torch.ones(DIMENSIONS), dim=0),
        gain=1.0,
        highest_hz=HIGHEST_HZ,
        left_out=(),
    )


@pytest.fixture(scope="session")
def base() -> NaturalModel:
    return NaturalModel.untrained(CONFIG, seed=0).eval()


@pytest.fixture
def build(base: NaturalModel, gathered: NaturalMaterial) -> Callable[..., NaturalAdaptation]:
    def make(**changes: Any) -> NaturalAdaptation:
        given = {"settings": SETTINGS, "seed": 3, "base": base, "training": gathered.training}
        return NaturalAdaptation(**{**given, "held_out": gathered.held_out, "highest_hz": HIGHEST_HZ, **changes})

    return make
