"""Two sequences of words set against each other: what was recognised, and what is written (Needleman and Wunsch 1970; Hirschberg 1975)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_GAP = 0.6
_SUBSTITUTION = -0.7
_SHORT, _SHORT_MATCH, _MATCH = 3, 0.6, 2.0  # `the` and `of` are everywhere and prove little
_MAX_CELLS = 30_000_000
_DIAGONAL, _UP, _LEFT = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Pair:
    """Word number `heard` was set against word number `written`; `equal` if they are the same word."""

    heard: int
    written: int
    equal: bool


def pairs(heard: Sequence[str], written: Sequence[str]) -> list[Pair]:
    """The best global alignment, in order; words that have no counterpart are left out. Memory is linear in the lengths."""
    numbers = {word: number for number, word in enumerate(dict.fromkeys([*heard, *written]))}
    weights = np.array([_SHORT_MATCH if len(word) <= _SHORT else _MATCH for word in numbers], dtype=np.float32)
    first = np.array([numbers[word] for word in heard], dtype=np.int64)
    second = np.array([numbers[word] for word in written], dtype=np.int64)
    found: list[tuple[int, int]] = []
    _align(first, second, weights, 0, 0, found)
    return [Pair(one, other, bool(first[one] == second[other])) for one, other in found]


def _align(
    first: np.ndarray, second: np.ndarray, weights: np.ndarray, row: int, column: int, found: list[tuple[int, int]]
) -> None:
    """Append the pairs of two stretches that begin at `row` and `column`."""
    if not len(first) or not len(second):
        return
    if len(first) * len(second) <= _MAX_CELLS or len(first) == 1:
        found.extend((row + one, column + other) for one, other in _traced(first, second, weights))
        return
    half = len(first) // 2
    forward = _rows(first[:half], second, weights)
    backward = _rows(first[half:][::-1], second[::-1], weights)[::-1]
    cut = int((forward + backward).argmax())
    _align(first[:half], second[:cut], weights, row, column, found)
    _align(first[half:], second[cut:], weights, row + half, column + cut, found)


def _rows(first: np.ndarray, second: np.ndarray, weights: np.ndarray, ways: np.ndarray | None = None) -> np.ndarray:
    """Scores (len(second) + 1,) of aligning all of `first` with every beginning of `second`; the moves go into `ways`."""
    ramp = _GAP * np.arange(len(second) + 1, dtype=np.float32)
    score = -ramp
    for index, word in enumerate(first):
        diagonal = np.full(len(second) + 1, -np.inf, dtype=np.float32)
        diagonal[1:] = score[:-1] + np.where(second == word, weights[word], _SUBSTITUTION)
        up = score - _GAP
        reached = np.maximum(diagonal, up)
        score = np.maximum.accumulate(reached + ramp) - ramp
        if ways is not None:
            ways[index] = np.where(score > reached + 1e-4, _LEFT, np.where(diagonal >= up, _DIAGONAL, _UP))
    return score


def _traced(first: np.ndarray, second: np.ndarray, weights: np.ndarray) -> list[tuple[int, int]]:
    ways = np.empty((len(first), len(second) + 1), dtype=np.uint8)
    _rows(first, second, weights, ways)
    one, other = len(first), len(second)
    found = []
    while one > 0:
        way = ways[one - 1, other]
        if way == _LEFT:
            other -= 1
            continue
        one -= 1
        if way == _DIAGONAL:
            other -= 1
            found.append((one, other))
    return found[::-1]
