"""Whether a machine understands what was said: word and phone error rates of the pocketsphinx recogniser (US English).

Phone errors compare the dictionary's phones of the words that were recognised with those of the words that were meant: a wrong word that
sounds alike costs little. Both rates are of a weak recogniser; they compare voices, they are not what a person would miss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jiwer
import numpy as np
import soxr

from trainer.audio import features
from trainer.audio.foreign_mel import SAMPLE_RATE
from trainer.evaluation.normaliser import spoken_words
from trainer.preparation import recogniser
from trainer.preparation.recogniser import MODEL_SHA256
from trainer.text.phones import without_stress
from trainer.text.pronunciation import pronounce

__all__ = ["MODEL_SHA256", "Errors", "character_edits", "compare", "recognise", "spoken_words"]

_PADDING = SAMPLE_RATE // 4  # a word at the very edge is lost otherwise


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """Edits (substitutions, insertions, deletions) that turn what was meant into what was heard, and how long the former is."""

    word_edits: int
    words: int
    phone_edits: int
    phones: int


def recognise(wave: np.ndarray, sample_rate: int = features.SAMPLE_RATE) -> tuple[str, ...]:
    """Lower-case words heard in (n,) samples; the same whatever was recognised before. Raises RuntimeSetupError."""
    samples = soxr.resample(np.ascontiguousarray(wave, dtype=np.float32), sample_rate, SAMPLE_RATE, quality="HQ")
    if not samples.any():
        return ()  # the recogniser invents words for zeros
    pcm = np.clip(np.round(np.pad(samples, _PADDING) * 32_767.0), -32_768, 32_767).astype("<i2")
    decoder = _decoder()
    # The noise that the front end has learnt to remove is the last utterance's: forgotten here, or the order of clips would matter.
    decoder.start_stream()
    decoder.start_utt()
    decoder.process_raw(pcm.tobytes(), no_search=False, full_utt=True)
    decoder.end_utt()
    found = decoder.hyp()
    # Its dictionary writes twenty-one and the like, the normaliser never.
    return tuple(found.hypstr.replace("-", " ").split()) if found else ()


def compare(meant: Sequence[str], heard: Sequence[str]) -> Errors:
    """Errors in `heard`; both are lower-case words, `meant` is not empty."""
    meant_phones, heard_phones = _phones(meant), _phones(heard)
    return Errors(
        word_edits=_edits(meant, heard),
        words=len(meant),
        phone_edits=_edits(meant_phones, heard_phones),
        phones=len(meant_phones),
    )


def character_edits(meant: Sequence[str], heard: Sequence[str]) -> tuple[int, int]:
    """Edits in the letters of `heard`, words with one blank between them, and how many letters and blanks were meant."""
    found = jiwer.process_characters([" ".join(meant)], [" ".join(heard)])
    return found.substitutions + found.insertions + found.deletions, len(" ".join(meant))


def _phones(words: Sequence[str]) -> list[str]:
    return [without_stress(phone) for word in words for phone in pronounce(word)[0]]


def _edits(meant: Sequence[str], heard: Sequence[str]) -> int:
    found = jiwer.process_words([" ".join(meant)], [" ".join(heard)])
    return found.substitutions + found.insertions + found.deletions


@lru_cache(maxsize=1)
def _decoder() -> Any:
    return recogniser.decoder(samprate=SAMPLE_RATE)
