"""When each phone of a known text is spoken, and how far the sound bears the text out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from trainer.errors import DataError
from trainer.models.aligner.graph import Graph, build
from trainer.models.aligner.model import PHONES, STATES_PER_PHONE, Aligner
from trainer.models.aligner.observations import normalisation, observe
from trainer.models.aligner.viterbi import best_path, free_score
from trainer.text.phone_set import SILENCE
from trainer.text.words import Word

_CENTRE, _WIDTH = -3.0, 0.35
"""Where confidence is a half, and its slope, in log-likelihood per speech frame below a free sequence of phones."""


class AlignmentError(DataError):
    """The words cannot have been spoken in this utterance; `cause` is alignment_empty or alignment_too_short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """Symbols of an utterance, whether each begins a word, and how many mel frames each lasts (a mark may last none).

    `score` is the log-likelihood per speech frame against the best sequence of any phones: at most about 0, lower for a wrong text.
    `confidence` is the same between 0 and 1.
    """

    symbols: tuple[str, ...]
    word_starts: tuple[bool, ...]
    frames: tuple[int, ...]
    score: float
    confidence: float


def align(mel: torch.Tensor, words: Sequence[Word], aligner: Aligner) -> Alignment:
    """Place `words` in an utterance of mel (MELS, frames), whose frames are shared out among them.

    Raises AlignmentError if they cannot fit.
    """
    observed = observe(mel)
    statistics = aligner.normalisation or normalisation([observed])
    return align_observed(statistics.apply(observed), words, aligner)


def align_observed(observed: np.ndarray, words: Sequence[Word], aligner: Aligner) -> Alignment:
    """`align` for normalised observations (frames, DIMENSIONS)."""
    placed = place(observed, words, aligner)
    symbols, starts, frames = _symbols(placed.graph, placed.path // STATES_PER_PHONE, words)
    return Alignment(
        symbols=symbols, word_starts=starts, frames=frames, score=placed.score, confidence=confidence(placed.score)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """The graph of some words and the best path (frames,) through its states.

    `total` is its log-likelihood less that of the best sequence of any phones, `score` the same per speech frame as in `Alignment`.
    """

    graph: Graph
    path: np.ndarray
    total: float
    score: float


def place(observed: np.ndarray, words: Sequence[Word], aligner: Aligner) -> Placed:
    """The best path for normalised observations (frames, DIMENSIONS); raises AlignmentError as `align`."""
    if not words:
        raise AlignmentError("there are no words to align; write what is said", cause="alignment_empty")
    graph = build(words)
    emission = aligner.log_likelihood(observed)
    path = best_path(graph, emission, aligner.stay)
    if not len(path):
        raise AlignmentError(
            f"{len(words)} words cannot be spoken in {len(observed)} frames; correct the transcript",
            cause="alignment_too_short",
        )
    total, spoken = _gain(graph, path, emission, aligner.stay)
    return Placed(graph=graph, path=path, total=total, score=total / spoken)


def confidence(score: float) -> float:
    """A score between 0 and 1, one half midway between right and wrong transcripts.

    Measured on 32 clips of one human reader with right transcripts and with others of other or equal length: area under the ROC curve 1.0.
    The shipped aligner scores right ones -1.9 to -0.5 and wrong ones at most -4.0; adapted to the reader -1.2 to 0.1 and at most -6.8.
    """
    return 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, (score - _CENTRE) / _WIDTH))))


def _symbols(
    graph: Graph, path: np.ndarray, words: Sequence[Word]
) -> tuple[tuple[str, ...], tuple[bool, ...], tuple[int, ...]]:
    """The path (frames,) of occurrences as symbols; a pause after a marked word becomes its mark."""
    lengths = np.bincount(path, minlength=len(graph.occurrences))
    # Every word ends with its pause.
    last = {occurrence.word: index for index, occurrence in enumerate(graph.occurrences)}
    symbols: list[str] = []
    starts: list[bool] = []
    frames: list[int] = []
    for index, occurrence in enumerate(graph.occurrences):
        symbol = occurrence.symbol
        closes = index == last[occurrence.word]
        if closes and occurrence.word >= 0:
            symbol = words[occurrence.word].mark or SILENCE
        if lengths[index] or (closes and symbol != SILENCE):
            symbols.append(symbol)
            starts.append(occurrence.first)
            frames.append(int(lengths[index]))
    return tuple(symbols), tuple(starts), tuple(frames)


def _gain(graph: Graph, path: np.ndarray, emission: np.ndarray, stay: np.ndarray) -> tuple[float, int]:
    """What the path gains over the best free sequence of phones, and its number of speech frames."""
    models = graph.models[path]
    spoken = models >= STATES_PER_PHONE * (PHONES.index(SILENCE) + 1)
    frames = np.arange(len(path))
    stays = np.append(path[1:] == path[:-1], True)
    gained = emission[frames, models] + np.where(stays, np.log(stay)[models], np.log1p(-stay)[models])
    return float(gained.sum() - free_score(emission, stay)), int(spoken.sum())
