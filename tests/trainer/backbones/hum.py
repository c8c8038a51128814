"""An utterance in small: a hum."""

from __future__ import annotations

import math

import numpy as np

from trainer.audio.features import HOP, SAMPLE_RATE
from trainer.dataset import loading
from trainer.dataset.loading import Utterance


def hummed(seed: int, frames: int = 90) -> Utterance:
    """A hum, and a pause."""
    rng = np.random.default_rng(seed)
    times = np.arange(frames * HOP) / SAMPLE_RATE
    f0 = 120.0 + 15.0 * np.sin(2 * math.pi * times + seed)
    phase = 2 * math.pi * np.cumsum(f0) / SAMPLE_RATE
    wave = sum(np.sin(k * phase) / k for k in range(1, 12)) * 0.08 + 0.005 * rng.standard_normal(len(times))
    wave[-15 * HOP :] *= 0.01
    return loading.from_wave(wave.astype(np.float32))
