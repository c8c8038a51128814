"""Human speech: recordings of many people, with what a recogniser heard in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soxr

from trainer.audio import features, quality, recording
from trainer.preparation.prepare_settings import PrepareSettings
from trainer.text import TextError, analyse
from trainer.text.words import Word

_SETTINGS = PrepareSettings()


def read(folder: Path) -> list[np.ndarray]:
    """Every FLAC and WAV file of a folder as (n,) float32 at SAMPLE_RATE and the common loudness; raises DataError as `recording.read`."""
    return [_read(path) for path in sorted(folder.iterdir()) if path.suffix in (".flac", ".wav")]


def recognised_words(text: str) -> tuple[Word, ...]:
    """Words of a text without punctuation; the last one ends a sentence. Empty where nothing was understood."""
    try:
        words = [word for sentence in analyse(text).sentences for word in sentence.words]
    except TextError:
        return ()
    return tuple(
        Word(word.text, word.pronunciations, "." if index == len(words) - 1 else "") for index, word in enumerate(words)
    )


def _read(path: Path) -> np.ndarray:
    mono, rate = recording.read(path)
    if rate != features.SAMPLE_RATE:
        mono = soxr.resample(mono, rate, features.SAMPLE_RATE, quality="HQ")
    return quality.normalised(mono - mono.mean(), quality.loudness_lufs(mono, features.SAMPLE_RATE), _SETTINGS)
