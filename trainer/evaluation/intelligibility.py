"""Whether a machine understands what was said: word and character errors of the pocketsphinx recogniser (US English).

Both are of a weak recogniser; they compare voices, they are not what a person would miss.
"""

from __future__ import annotations

from collections.abc import Sequence
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

__all__ = ["MODEL_SHA256", "character_edits", "recognise", "spoken_words", "word_edits"]

_PADDING = SAMPLE_RATE // 4  # a word at the very edge is lost otherwise


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


def word_edits(meant: Sequence[str], heard: Sequence[str]) -> int:
    """Substitutions, insertions and deletions that turn the words that were meant (not none) into those heard."""
    found = jiwer.process_words([" ".join(meant)], [" ".join(heard)])
    return found.substitutions + found.insertions + found.deletions


def character_edits(meant: Sequence[str], heard: Sequence[str]) -> tuple[int, int]:
    """Edits in the letters of `heard`, words with one blank between them, and how many letters and blanks were meant."""
    found = jiwer.process_characters([" ".join(meant)], [" ".join(heard)])
    return found.substitutions + found.insertions + found.deletions, len(" ".join(meant))


@lru_cache(maxsize=1)
def _decoder() -> Any:
    return recogniser.decoder(samprate=SAMPLE_RATE)
