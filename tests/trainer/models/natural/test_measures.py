"""F0 of voices whose F0 is known."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.models.natural import measures
from trainer.models.natural.speak import HOP, SAMPLE_RATE

SECONDS = 2.0


def gliding_voice(low_hz: float, high_hz: float) -> tuple[np.ndarray, np.ndarray]:
    """Pulses whose rate glides once up, through two resonances: wave (n,) float32, Hz in the middle of each frame."""
    hz = np.geomspace(low_hz, high_hz, int(SECONDS * SAMPLE_RATE))
    phase = 2 * np.pi * np.cumsum(hz) / SAMPLE_RATE
    wave = np.zeros(len(hz))
    for harmonic in range(1, 20):
        frequency = harmonic * hz
        loudness = 1 / (1 + ((frequency - 500) / 300) ** 2) + 0.3 / (1 + ((frequency - 1500) / 300) ** 2)
        wave += loudness * np.sin(harmonic * phase)
    return measures.whole((0.1 * wave).astype(np.float32)), hz[::HOP]


@pytest.mark.parametrize("median_hz", [90.0, 120.0, 180.0, 240.0, 330.0])
def test_the_f0_of_a_gliding_voice_is_found_within_two_percent(median_hz: float) -> None:
    wave, truth = gliding_voice(median_hz / 1.4, median_hz * 1.4)
    found = measures.f0(wave, median_hz=median_hz)
    assert found.dtype == np.float32 and len(found) == len(wave) // HOP
    inner = slice(8, len(found) - 8)
    assert (found[inner] > 0).mean() > 0.98
    voiced = found[inner] > 0
    assert np.abs(found[inner][voiced] / truth[: len(found)][inner][voiced] - 1).max() < 0.02


def test_silence_has_no_voiced_frame() -> None:
    assert not measures.f0(np.zeros(24_000, np.float32), median_hz=150.0).any()
