"""Mel power spectrograms at 16 kHz as librosa computes them by default: what networks trained elsewhere expect to see.

Not the features of our own models (those are in `trainer.audio.features`).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch

SAMPLE_RATE = 16_000
_LINEAR_HZ = 200.0 / 3.0  # a mel below 1 kHz
_BREAK_MEL = 15.0
_LOG_STEP = float(np.log(6.4)) / 27.0  # a mel above


def power_mel(wave: np.ndarray, *, fft: int, hop: int, mels: int) -> torch.Tensor:
    """(n,) samples -> (1 + n // hop, mels) float32 power: periodic Hann window, zero padding, Slaney's scale and area normalisation."""
    samples = torch.from_numpy(np.ascontiguousarray(wave, dtype=np.float32))
    spectrum = torch.stft(
        samples, fft, hop, window=torch.hann_window(fft), center=True, pad_mode="constant", return_complex=True
    )
    return spectrum.abs().square().T @ _filters(fft, mels)


@lru_cache(maxsize=4)
def _filters(fft: int, mels: int) -> torch.Tensor:
    """(fft // 2 + 1, mels) float32 triangles. torchaudio's are the same for an even `fft`, but it does not know odd ones."""
    bins = np.arange(fft // 2 + 1)[:, None] * SAMPLE_RATE / fft
    highest = _BREAK_MEL + np.log(SAMPLE_RATE / 2 / 1000.0) / _LOG_STEP
    points = np.linspace(0.0, highest, mels + 2)
    edges = np.where(points < _BREAK_MEL, points * _LINEAR_HZ, 1000.0 * np.exp(_LOG_STEP * (points - _BREAK_MEL)))
    rising = (bins - edges[:-2]) / np.diff(edges)[:-1]
    falling = (edges[2:] - bins) / np.diff(edges)[1:]
    area = 2.0 / (edges[2:] - edges[:-2])
    return torch.from_numpy((np.clip(np.minimum(rising, falling), 0.0, None) * area).astype(np.float32))
