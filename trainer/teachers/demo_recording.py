"""Rendering the demonstration recording: synthetic speech in a quiet room, the same bytes every time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.signal import lfilter

from trainer.audio import audio_file
from trainer.files.atomic_file import write_atomically
from trainer.teachers.demo_sentences import SENTENCES
from trainer.teachers.espeak import SpeechRequest, speak_all

SEED = 20_240
VOICE = "en-us"
_RATES_WPM = (155, 181)
_PITCHES = (42, 52)
_PAUSES_S = (0.6, 1.0)
_EDGE_S = 0.8
_PEAK = 0.5
_NOISE_DBFS = -58.0
_NOISE_POLE = 0.85  # one-pole low-pass: the hum and hiss of a room, not white noise


def render(
    path: Path, transcript_path: Path, *, sentences: tuple[str, ...] = SENTENCES, voice: str = VOICE, seed: int = SEED
) -> float:
    """Write the recording (mono 16-bit FLAC) and its transcript (one sentence per line); returns the duration in seconds.

    The default is more than 5,000,000 bytes and four to five minutes long. Raises RuntimeSetupError without espeak-ng.
    """
    samples, rate = perform(sentences, voice=voice, seed=seed)
    write_atomically(path, audio_file.flac(audio_file.pcm16(samples), rate))
    write_atomically(transcript_path, "".join(f"{sentence}\n" for sentence in sentences).encode())
    return len(samples) / rate


def perform(sentences: tuple[str, ...], *, voice: str = VOICE, seed: int = SEED) -> tuple[np.ndarray, int]:
    """Speak the sentences with natural variation and pauses over room noise: ((n,) float32 samples, sample rate in Hz)."""
    generator = np.random.default_rng(seed)
    requests = [
        SpeechRequest(
            text=sentence,
            voice=voice,
            rate_wpm=int(generator.integers(*_RATES_WPM)),
            pitch=int(generator.integers(*_PITCHES)),
        )
        for sentence in sentences
    ]
    spoken = speak_all(requests)
    rate = spoken[0][1]
    parts = [np.zeros(round(_EDGE_S * rate), np.float32)]
    for samples, _ in spoken:
        parts += [samples, np.zeros(round(generator.uniform(*_PAUSES_S) * rate), np.float32)]
    speech = np.concatenate(parts)
    speech *= _PEAK / max(float(np.abs(speech).max()), 1e-6)
    return (speech + _room_noise(len(speech), generator)).astype(np.float32), rate


def _room_noise(count: int, generator: np.random.Generator) -> np.ndarray:
    """(count,) low-passed Gaussian noise at _NOISE_DBFS."""
    noise = lfilter([1.0], [1.0, -_NOISE_POLE], generator.standard_normal(count))
    return noise * (10.0 ** (_NOISE_DBFS / 20.0) * np.sqrt(1.0 - _NOISE_POLE**2))
