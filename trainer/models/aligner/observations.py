"""What the aligner hears: cepstra of the log-mel spectrogram with their first and second derivatives, 42 numbers a frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from trainer.audio.features import MELS, mel_centres_hz

CEPSTRA = 14
DIMENSIONS = 3 * CEPSTRA
HIGHEST_HZ = 6_500.0
"""Mel bands above are left out: telephone-like and 16 kHz sources have nothing there, and others must not differ from them."""
_DEPTH = 7.5  # what lies further below the loud frames (in nepers, 65 dB) is the room, and rooms differ
_LOUD_PERCENTILE = 97.0
_SPEECH_DEPTH = 4.0
_MIN_SCALE = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalisation:
    """Mean and deviation of a speaker's speech frames, both (DIMENSIONS,) float32."""

    offset: np.ndarray
    scale: np.ndarray

    def apply(self, observed: np.ndarray) -> np.ndarray:
        """(frames, DIMENSIONS) with zero mean and unit deviation over speech."""
        return (observed - self.offset) / self.scale


def observe(mel: torch.Tensor) -> np.ndarray:
    """(MELS, frames) log-mel -> (frames, DIMENSIONS) float32, not yet normalised."""
    bands = mel.to(torch.float32).numpy()[: _bands()]
    floor = np.percentile(bands.max(axis=0), _LOUD_PERCENTILE) - _DEPTH
    static = np.maximum(bands, floor).T @ _cosines()
    first = _slope(static)
    return np.concatenate([static, first, _slope(first)], axis=1).astype(np.float32)


def normalisation(observed: Sequence[np.ndarray]) -> Normalisation:
    """Statistics over the speech frames of one speaker's utterances."""
    spoken = np.concatenate([each[_is_speech(each)] for each in observed]).astype(np.float64)
    return Normalisation(
        offset=spoken.mean(axis=0).astype(np.float32),
        scale=np.maximum(spoken.std(axis=0), _MIN_SCALE).astype(np.float32),
    )


def _is_speech(observed: np.ndarray) -> np.ndarray:
    """Frames (n,) whose level (the first cepstrum is a mean over bands) is near that of the loud ones."""
    level = observed[:, 0] / np.sqrt(_bands())
    return level >= np.percentile(level, _LOUD_PERCENTILE) - _SPEECH_DEPTH


def _slope(track: np.ndarray) -> np.ndarray:
    """Regression over five frames of (frames, n), ends repeated."""
    padded = np.pad(track, ((2, 2), (0, 0)), mode="edge")
    return (2.0 * (padded[4:] - padded[:-4]) + padded[3:-1] - padded[1:-3]) / 10.0


@lru_cache(maxsize=1)
def _bands() -> int:
    return int(np.searchsorted(mel_centres_hz(), HIGHEST_HZ))


@lru_cache(maxsize=1)
def _cosines() -> np.ndarray:
    """Orthonormal DCT-II over the mel bands used, (bands, CEPSTRA) float32."""
    count = _bands()
    assert count <= MELS
    position = (np.arange(count) + 0.5) / count
    table = np.cos(np.pi * position[:, None] * np.arange(CEPSTRA)) * np.sqrt(2.0 / count)
    table[:, 0] /= np.sqrt(2.0)
    return table.astype(np.float32)
