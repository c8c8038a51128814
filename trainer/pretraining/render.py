"""One sentence of one pseudo speaker as an utterance: sound at 22.05 kHz, brought to one loudness, with its times."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import soxr

from trainer.audio import quality
from trainer.audio.features import HOP, SAMPLE_RATE
from trainer.preparation.prepare_settings import PrepareSettings
from trainer.pretraining import spoken_words
from trainer.pretraining.speakers import Speaker, tone_filter
from trainer.pretraining.texts import Sentence
from trainer.teachers import flite
from trainer.text.phone_set import MARKS

MIN_S, MAX_S = 1.2, 12.0
_SETTINGS = PrepareSettings()
_STRETCH_JITTER, _F0_JITTER = 0.06, 0.05


Timed = tuple[tuple[str, int], ...]
"""Symbols of an utterance, each with its number of frames."""


def flite_utterance(
    sentence: Sentence, speaker: Speaker, rng: np.random.Generator
) -> tuple[np.ndarray, spoken_words.Symbols | None]:
    """(n,) float32 at SAMPLE_RATE, and the symbols with their ends in seconds; None where flite read other words."""
    spoken = flite.speak(
        sentence.text,
        speaker.voice,
        f0_hz=speaker.f0_hz / speaker.warp * math.exp(rng.normal(0.0, _F0_JITTER)),
        f0_range_hz=speaker.f0_range_hz / speaker.warp,
        stretch=speaker.stretch * speaker.warp * math.exp(rng.normal(0.0, _STRETCH_JITTER)),
    )
    segments = [replace(segment, end_s=segment.end_s / speaker.warp) for segment in spoken.segments]
    wave = shaped(spoken.wave, spoken.sample_rate, speaker, rng)
    return wave, spoken_words.symbols(sentence, segments)


def shaped(wave: np.ndarray, sample_rate: int, speaker: Speaker, rng: np.random.Generator) -> np.ndarray:
    """`wave` (n,) with the speaker's formants, tone and room: (m,) float32 at SAMPLE_RATE and the common loudness."""
    from scipy.signal import oaconvolve

    moved = soxr.resample(wave.astype(np.float64), sample_rate * speaker.warp, SAMPLE_RATE, quality="HQ")
    toned = oaconvolve(moved, tone_filter(speaker, SAMPLE_RATE), mode="same")
    levelled = quality.normalised(toned, quality.loudness_lufs(toned, SAMPLE_RATE), _SETTINGS)
    noise = rng.standard_normal(len(levelled))
    noise[1:] += 0.9 * noise[:-1]  # rooms are darker than white noise
    level = 10.0 ** (speaker.noise_db / 20.0) / 1.35
    return np.clip(levelled + level * noise, -1.0, 1.0).astype(np.float32)


def timed(symbols: spoken_words.Symbols, frames: int) -> Timed | None:
    """Ends in seconds as numbers of frames (frame t stands for sample t * HOP); None where a phone would get none."""
    names, ends = symbols
    bounds = [min(frames, math.ceil(end * SAMPLE_RATE / HOP)) for end in ends]
    bounds[-1] = frames
    for index in range(len(bounds) - 1, 0, -1):  # a phone has at least one frame; it takes it from the one before
        if names[index] not in MARKS:
            bounds[index - 1] = min(bounds[index - 1], bounds[index] - 1)
        bounds[index - 1] = min(bounds[index - 1], bounds[index])
    counts = tuple(int(count) for count in np.diff([0, *bounds]))
    if min(counts) < 0 or any(not count for name, count in zip(names, counts, strict=True) if name not in MARKS):
        return None
    return tuple(zip(names, counts, strict=True))
