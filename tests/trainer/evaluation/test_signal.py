"""Faults of a wave: each found where it is, none where it is not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.evaluation import signal

RATE = 22_050


def tone(seconds: float = 1.0, level: float = 0.3) -> np.ndarray:
    """A tone that fades in and out within 30 ms."""
    time = np.arange(round(seconds * RATE)) / RATE
    fade = np.clip(np.minimum(time, seconds - time) / 0.03, 0.0, 1.0) ** 2
    return (level * np.sin(2.0 * np.pi * 220.0 * time) * fade).astype(np.float32)


def silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * RATE), np.float32)


def test_a_sound_wave_has_no_fault() -> None:
    assert signal.measure(tone(), RATE).faults() == ()


@pytest.mark.parametrize(
    ("wave", "fault"),
    [
        (np.where(abs(np.arange(RATE) - 11_000) < 5, 1.0, tone()), "clipped"),
        (tone() + 0.05, "offset"),
        (np.concatenate([tone(0.3), silence(1.0)]), "silent"),
        (np.concatenate([tone(2.0), silence(1.7), tone(2.0)]), "long_pause"),
        (tone()[5_000:], "starts_abruptly"),
        (tone()[:-5_000], "ends_abruptly"),
        (np.where(np.arange(RATE) == 99, np.nan, tone()), "not_finite"),
    ],
)
def test_fault_is_named_and_no_other(wave: np.ndarray, fault: str) -> None:
    assert signal.measure(wave, RATE).faults() == (fault,)


@pytest.mark.parametrize(("seconds", "faults"), [(0.0, ("silent", "too_short")), (1.0, ("silent",))])
def test_nothing_is_silent_throughout(seconds: float, faults: tuple[str, ...]) -> None:
    found = signal.measure(silence(seconds), RATE)
    assert found.silence == 1.0 and found.faults(words=3) == faults


@settings(deadline=None)
@given(st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32), max_size=200))
def test_any_wave_can_be_measured(samples: list[float]) -> None:
    found = signal.measure(np.array(samples, np.float32), RATE)
    assert 0.0 <= found.silence <= 1.0 and 0.0 <= found.clipping <= 1.0 and found.longest_pause_s >= 0.0
