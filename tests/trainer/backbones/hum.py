"""An utterance in small: a hum with symbols."""

from __future__ import annotations

import math

import numpy as np
import torch

from trainer.audio.features import HOP, SAMPLE_RATE
from trainer.backbones.fitting_speech import Spoken
from trainer.dataset import loading
from trainer.text.phones import ID


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
