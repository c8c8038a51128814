"""What is made of clean speech: as by telephone, whispered, by a child, over music."""

from __future__ import annotations

import numpy as np
import pyworld
import soxr
from scipy.signal import butter, sosfilt

RATE = 22_050


def telephone(speech: np.ndarray, rate: int = RATE) -> np.ndarray:
    """Through the band of a telephone and its mu-law code, at the rate it had."""
    narrow = sosfilt(butter(4, [300, 3400], "bandpass", fs=8000, output="sos"), soxr.resample(speech, rate, 8000))
    coded = np.round(127 * np.sign(narrow) * np.log1p(255 * np.abs(narrow)) / np.log(256)) / 127
    return soxr.resample(np.sign(coded) * (256 ** np.abs(coded) - 1) / 255, 8000, rate).astype(np.float32)


def whispered(speech: np.ndarray, rate: int = RATE) -> np.ndarray:
    """Its spectra excited by noise alone."""
    return _spoken_again(speech, rate, hertz=0.0, formants=1.0)


def childlike(speech: np.ndarray, rate: int = RATE, *, hertz: float = 310.0) -> np.ndarray:
    """By a shorter throat, and at the median F0 of a child."""
    return _spoken_again(speech, rate, hertz=hertz, formants=1.2)


def _spoken_again(speech: np.ndarray, rate: int, *, hertz: float, formants: float) -> np.ndarray:
    samples = speech.astype(np.float64)
    f0, times = pyworld.harvest(samples, rate)
    parts = pyworld.cheaptrick(samples, f0, times, rate), pyworld.d4c(samples, f0, times, rate)
    bins = np.arange(parts[0].shape[1])
    envelope, noise = (np.stack([np.interp(bins / formants, bins, row) for row in part]) for part in parts)
    return pyworld.synthesize(f0 * hertz / np.median(f0[f0 > 0]), envelope, noise, rate)[: len(speech)].astype(
        np.float32
    )


def music(count: int, rate: int = RATE, seed: int = 0) -> np.ndarray:
    """Broken chords of plucked notes with overtones and a drum at every beat; (count,) samples."""
    draw, beat, time = np.random.default_rng(seed), rate // 2, np.arange(2 * rate) / rate
    played, root = np.zeros(count + 2 * rate), 220.0 * 2.0 ** (draw.integers(-5, 6) / 12)
    drum = draw.standard_normal(rate // 10) * np.exp(-40.0 * time[: rate // 10])
    for number, start in enumerate(range(0, count, beat)):
        note = root * 2.0 ** ((draw.choice([0, 4, 7]) + (0, 5, 7, 9)[number // 4 % 4]) / 12)
        tone = sum(np.sin(2 * np.pi * note * part * time) / part for part in range(1, 8)) * np.exp(-2.0 * time)
        played[start : start + len(time)] += tone
        played[start : start + len(drum)] += 0.5 * drum
    return played[:count].astype(np.float32)


def over_music(speech: np.ndarray, rate: int = RATE, *, below_db: float = 10.0, seed: int = 0) -> np.ndarray:
    """With music below it."""
    return over(speech, music(len(speech), rate, seed), below_db)


def over(speech: np.ndarray, sound: np.ndarray, below_db: float) -> np.ndarray:
    """With a sound so far below the speech's loud parts."""
    loud = np.square(speech)[np.abs(speech) > 0.1 * np.abs(speech).max()].mean()
    return (speech + sound * np.sqrt(loud / np.square(sound).mean()) * 10 ** (-below_db / 20)).astype(np.float32)
