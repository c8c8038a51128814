"""The pulses of `trainer.models.vocoder.excitation` in numpy, for runtimes without torch."""

from __future__ import annotations

import numpy as np

from trainer.synthesis.delivery import SAMPLE_RATE
from trainer.synthesis.finishing import HOP


def pulse_train(f0: np.ndarray) -> np.ndarray:
    """(frames,) Hz -> ((frames - 1) * HOP,) float32: all harmonics below the Nyquist frequency with equal amplitude and unit power."""
    frames = np.arange((len(f0) - 1) * HOP) / HOP
    track = np.interp(frames, np.arange(len(f0)), f0.astype(np.float64))
    turns = np.cumsum(track / SAMPLE_RATE)
    phase = 2.0 * np.pi * (turns - np.round(turns))
    # By the reciprocal, as torch divides: where a whole number of harmonics fits exactly, both count the same.
    harmonics = np.floor(1.0 / track * (SAMPLE_RATE / 2))
    half = np.sin(phase / 2)
    on_pulse = np.abs(half) < 1e-9
    kernel = np.sin((harmonics + 0.5) * phase) / (2 * np.where(on_pulse, 1.0, half)) - 0.5
    return (np.where(on_pulse, harmonics, kernel) * np.sqrt(2.0 / harmonics)).astype(np.float32)
