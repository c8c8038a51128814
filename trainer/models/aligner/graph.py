"""The states that may speak a sequence of words: pronunciation variants side by side, an optional pause after every word."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trainer.models.aligner.model import STATES_PER_PHONE, phone_index
from trainer.text.phone_set import SILENCE, without_stress
from trainer.text.words import Word

MAX_VARIANTS = 4
_OTHER_VARIANT = 1.0  # nepers by which a pronunciation other than the default must be more likely
_PAUSE_PROBABILITY = {"": 0.05, ",": 0.6, ".": 0.85, "?": 0.85, "!": 0.85}


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """A phone at its place: `word` is its word's number (of a pause: the word before, -1 at the start), `first` marks a word's first phone."""

    symbol: str
    word: int
    first: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """States in topological order; occurrence `i` owns the states STATES_PER_PHONE * i and following.

    `models` (states,) indexes the aligner's states. `before` (states, k) lists the states from which each is entered, itself first, and `cost`
    (states, k) the log-probability of choosing that way, -inf where there is none. `last` are the states that may end the utterance.
    """

    occurrences: tuple[Occurrence, ...]
    models: np.ndarray
    before: np.ndarray
    cost: np.ndarray
    last: np.ndarray


def build(words: Sequence[Word]) -> Graph:
    """The graph of an utterance: a pause, then each word in one of its variants and an optional pause."""
    occurrences = [Occurrence(symbol=SILENCE, word=-1, first=False)]
    # Of each occurrence: the occurrences before it, with log-probabilities.
    entries: list[list[tuple[int, float]]] = [[]]
    open_ends: list[tuple[int, float]] = [(0, 0.0)]
    for number, word in enumerate(words):
        ends: list[tuple[int, float]] = []
        for variant, phones in enumerate(variants(word)):
            for position, phone in enumerate(phones):
                entries.append(_at_cost(open_ends, variant) if position == 0 else [(len(occurrences) - 1, 0.0)])
                occurrences.append(Occurrence(symbol=phone, word=number, first=position == 0))
            ends.append((len(occurrences) - 1, 0.0))
        pause = _PAUSE_PROBABILITY[word.mark]
        entries.append([(end, math.log(pause)) for end, _ in ends])
        occurrences.append(Occurrence(symbol=SILENCE, word=number, first=False))
        open_ends = [(end, math.log(1.0 - pause)) for end, _ in ends] + [(len(occurrences) - 1, 0.0)]
    return _states(occurrences, entries, [end for end, _ in open_ends])


def variants(word: Word) -> list[tuple[str, ...]]:
    """The first few pronunciations of a word that differ in more than stress, which the models do not hear."""
    distinct = {tuple(without_stress(phone) for phone in phones): phones for phones in reversed(word.pronunciations)}
    return list(reversed(distinct.values()))[:MAX_VARIANTS]


def _at_cost(ends: Sequence[tuple[int, float]], variant: int) -> list[tuple[int, float]]:
    return [(end, log_probability - (_OTHER_VARIANT if variant else 0.0)) for end, log_probability in ends]


def _states(
    occurrences: Sequence[Occurrence], entries: Sequence[Sequence[tuple[int, float]]], ends: Sequence[int]
) -> Graph:
    count = STATES_PER_PHONE * len(occurrences)
    width = 1 + max(1, *(len(entry) for entry in entries))
    before = np.zeros((count, width), dtype=np.intp)
    cost = np.full((count, width), -np.inf, dtype=np.float32)
    before[:, 0] = np.arange(count)
    cost[:, 0] = 0.0
    models = np.zeros(count, dtype=np.intp)
    for index, (occurrence, entry) in enumerate(zip(occurrences, entries, strict=True)):
        start = STATES_PER_PHONE * index
        models[start : start + STATES_PER_PHONE] = STATES_PER_PHONE * phone_index(occurrence.symbol) + np.arange(
            STATES_PER_PHONE
        )
        for column, (other, log_probability) in enumerate(entry, start=1):
            before[start, column] = STATES_PER_PHONE * other + STATES_PER_PHONE - 1
            cost[start, column] = log_probability
        for state in range(start + 1, start + STATES_PER_PHONE):
            before[state, 1] = state - 1
            cost[state, 1] = 0.0
    last = np.array([STATES_PER_PHONE * end + STATES_PER_PHONE - 1 for end in ends], dtype=np.intp)
    return Graph(occurrences=tuple(occurrences), models=models, before=before, cost=cost, last=last)
