"""Where two recognisers hear different words, and the sound does not bear out those of the first.

The words are set against each other; where they differ, the aligner is asked how well the sound fits with either. What speaks for the first
one's words is settled. The rest is for a person.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from trainer.audio import features
from trainer.models.aligner import Aligner, AlignmentError
from trainer.models.aligner.align import place
from trainer.models.aligner.observations import normalisation, observe
from trainer.preparation.recognisers import Heard
from trainer.preparation.transcription.word_alignment import pairs
from trainer.text import TextError, Word, analyse

_SETTLED = 0.0
"""Log-likelihood by which the sound has to fit the first one's words better."""


def doubts(first: Heard, second: Heard, wave: np.ndarray, aligner: Aligner) -> tuple[str, ...]:
    """A line for each stretch that the second recogniser hears otherwise and the sound (n,) at 22.05 kHz does not settle."""
    if not first.spoken or not second.spoken:
        return ()
    observed = observe(features.mel_of(wave))
    observed = (aligner.normalisation or normalisation([observed])).apply(observed)
    own = _total(observed, first.spoken, aligner)
    found = []
    for mine, theirs in differing(first.spoken, second.spoken):
        other = [*first.spoken[: mine.start], *second.spoken[theirs.start : theirs.stop], *first.spoken[mine.stop :]]
        gain = own - _total(observed, other, aligner)
        if gain < _SETTLED:
            found.append(
                f"{_shown(first.spoken[mine.start : mine.stop])} or {_shown(second.spoken[theirs.start : theirs.stop])}?"
            )
    return tuple(found)


def differing(first: Sequence[str], second: Sequence[str]) -> list[tuple[range, range]]:
    """The stretches of both that lie between words which are the same in both."""
    same = [(pair.heard, pair.written) for pair in pairs(first, second) if pair.equal]
    bounds = [(-1, -1), *same, (len(first), len(second))]
    found = []
    for (left, other_left), (right, other_right) in pairwise(bounds):
        mine, theirs = range(left + 1, right), range(other_left + 1, other_right)
        if mine or theirs:
            found.append((mine, theirs))
    return found


def _total(observed: np.ndarray, said: Sequence[str], aligner: Aligner) -> float:
    try:
        return place(observed, _words(said), aligner).total
    except (AlignmentError, TextError):
        return -math.inf


def _words(said: Sequence[str]) -> list[Word]:
    return [word for sentence in analyse(" ".join(said)).sentences for word in sentence.words]


def _shown(said: Sequence[str]) -> str:
    return f"`{' '.join(said)}`" if said else "nothing"
