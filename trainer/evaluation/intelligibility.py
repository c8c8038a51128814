"""Whether a machine understands what was said: word and character errors of a recogniser.

Pocketsphinx (US English) is a weak one; whisper mishears several times fewer words. Both compare voices, they are not what a person would miss.
"""

from __future__ import annotations

from collections.abc import Sequence

import jiwer
import numpy as np

from trainer.audio import features
from trainer.evaluation.normaliser import spoken_words
from trainer.preparation import recognisers
from trainer.preparation.recognisers import RecogniserChoice

__all__ = ["character_edits", "recognise", "spoken_words", "word_edits"]

_DEFAULT = RecogniserChoice()


def recognise(
    wave: np.ndarray, sample_rate: int = features.SAMPLE_RATE, choice: RecogniserChoice = _DEFAULT
) -> tuple[str, ...]:
    """Lower-case words heard in (n,) samples; the same whatever was recognised before. Raises RuntimeSetupError."""
    return recognisers.scoring(choice).hear(wave, sample_rate).spoken


def word_edits(meant: Sequence[str], heard: Sequence[str]) -> int:
    """Substitutions, insertions and deletions that turn the words that were meant (not none) into those heard."""
    found = jiwer.process_words([" ".join(meant)], [" ".join(heard)])
    return found.substitutions + found.insertions + found.deletions


def character_edits(meant: Sequence[str], heard: Sequence[str]) -> tuple[int, int]:
    """Edits in the letters of `heard`, words with one blank between them, and how many letters and blanks were meant."""
    found = jiwer.process_characters([" ".join(meant)], [" ".join(heard)])
    return found.substitutions + found.insertions + found.deletions, len(" ".join(meant))
