"""From a rendered sentence to one that can stand beside others: heard to be speech, at one loudness, without clicks at its ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trainer.errors import TrainingError
from trainer.synthesis.passages import Passage

TARGET_DBFS = -22.0
"""Of the frames of phones; with pauses and weighted for the ear about -23 LUFS (EBU R 128), as prepared clips."""
MOST_GAIN_DB = 6.0
"""A voice at its recordings' level needs next to none; a mumbled word is not blown up to a sentence."""
PEAK = 10.0 ** (-1.0 / 20.0)

LEAST_SPEECH_DBFS = -55.0
"""Mean level of the frames of phones below which a sentence counts as silent: 30 dB under a quiet voice."""
LEAST_VOICED = 0.05
"""Share of the vowels' frames that must be voiced."""
LEAST_VOWELS = 3
"""Below so many, voicing says nothing."""
MOST_WORD_S = 4.0
"""Mean seconds per word, at rate 1, that no speaker takes."""

KEPT_BEFORE_S, KEPT_AFTER_S = 0.25, 0.4
"""What stays of the room before a text's first word and after a sentence; the latter as far as the pause to the next sentence goes."""
ONSET_S, RELEASE_S = 0.05, 0.12
"""What stays in any case: soft onsets, and releases."""
FADE_IN_S, FADE_OUT_S = 0.005, 0.04
PAUSES_S = {",": 0.22, ".": 0.45, "?": 0.5, "!": 0.5}
"""From the last phone of one sentence to the first of the next."""
PARAGRAPH_S = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What the models made of a passage: wave (n,) float32, frames (P,) of its symbols, voicing (T,) 0 or 1."""

    wave: np.ndarray
    frames: np.ndarray
    voicing: np.ndarray
    sample_rate: int
    hop: int
    """Samples per frame; a frame is centred on its first sample."""


def check_duration(seconds: float, passage: Passage, *, rate: float) -> None:
    """Raise TrainingError(voice_unusable) for a sentence longer than anybody takes; before memory is spent on it."""
    if seconds > MOST_WORD_S * (passage.words + 2) / rate:
        raise _unusable(f"takes {seconds:.0f} s for {passage.words} words", passage)


def check_speech(rendered: Rendered, passage: Passage) -> None:
    """Raise TrainingError(voice_unusable) where the words of the passage cannot be heard: no silence is passed off as speech."""
    if not np.isfinite(rendered.wave).all():
        raise _unusable("gives samples that are no numbers", passage)
    level = speech_dbfs(rendered, passage)
    if level < LEAST_SPEECH_DBFS:
        raise _unusable(f"is silent ({level:.0f} dBFS)", passage)
    vowel = np.repeat(passage.is_vowel, rendered.frames)
    if passage.is_vowel.sum() >= LEAST_VOWELS and rendered.voicing[vowel].mean() < LEAST_VOICED:
        raise _unusable("has no voice, only noise,", passage)


def speech_dbfs(rendered: Rendered, passage: Passage) -> float:
    """Mean level of the frames of phones."""
    spoken = ~np.repeat(passage.is_pause, rendered.frames)
    heard = rendered.wave[np.repeat(spoken, rendered.hop)[: len(rendered.wave)]]
    power = float(np.mean(np.square(heard, dtype=np.float64))) if len(heard) else 0.0
    return 10.0 * float(np.log10(max(power, 1e-20)))


def finished(
    rendered: Rendered, passage: Passage, *, before_s: float, after_s: float
) -> tuple[np.ndarray, float, float]:
    """(wave, seconds of the voice's own pause before its first phone, and after its last): levelled, cut and faded to zero at both ends.

    At most `before_s` and `after_s` seconds of those pauses stay, but never less than an onset and a release need.
    """
    hop, rate = rendered.hop, rendered.sample_rate
    spoken = np.flatnonzero(~np.repeat(passage.is_pause, rendered.frames))
    # A frame is centred on its sample.
    first = max(0, int(spoken[0]) * hop - hop // 2)
    last = min(len(rendered.wave), (int(spoken[-1]) + 1) * hop - hop // 2)
    start = max(0, first - round(max(before_s, ONSET_S) * rate))
    end = min(len(rendered.wave), last + round(max(after_s, RELEASE_S) * rate))
    wave = _levelled(rendered, passage)[start:end]
    fade_in = min(round(FADE_IN_S * rate), len(wave) // 2)
    fade_out = min(round(FADE_OUT_S * rate), len(wave) // 2)
    wave[:fade_in] *= _ramp(fade_in)
    wave[len(wave) - fade_out :] *= _ramp(fade_out)[::-1]
    return wave, (first - start) / rate, (end - last) / rate


def pause_s(before: str, *, opens_paragraph: bool) -> float:
    """Seconds between a sentence that ended with the mark `before` and the next."""
    return PARAGRAPH_S if opens_paragraph else PAUSES_S[before]


def _levelled(rendered: Rendered, passage: Passage) -> np.ndarray:
    """A copy at the target level as far as one gain within MOST_GAIN_DB brings it there, less where the peak would pass PEAK."""
    wanted = np.clip(TARGET_DBFS - speech_dbfs(rendered, passage), -MOST_GAIN_DB, MOST_GAIN_DB)
    peak = float(np.abs(rendered.wave).max())
    return (rendered.wave * min(10.0 ** (wanted / 20.0), PEAK / peak)).astype(np.float32)


def _ramp(samples: int) -> np.ndarray:
    """Half a cosine, from 0 up: (samples,) float32."""
    return (0.5 - 0.5 * np.cos(np.pi * np.arange(samples) / max(samples, 1))).astype(np.float32)


def _unusable(what: str, passage: Passage) -> TrainingError:
    text = passage.text if len(passage.text) <= 60 else passage.text[:59] + "…"
    return TrainingError(
        f"the voice {what} where the text says {text!r}; train it again, or longer", cause="voice_unusable"
    )
