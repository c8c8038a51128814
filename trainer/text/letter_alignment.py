"""Which phones of a word belong to which of its letters, found by hard expectation maximisation over the dictionary.

Each letter gets a chunk of zero to three phones. Used once, to learn `letters_to_phones`; speaking does not need it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

Chunk = tuple[str, ...]
MOST_PHONES = 3
_SMOOTHING = 0.1
_LENGTH_COST = (1.5, 0.0, 3.0, 8.0)
"""Cost in nats of a chunk by its number of phones before anything is known."""


def align_all(words: Sequence[tuple[str, Chunk]], rounds: int = 6) -> list[tuple[str, tuple[Chunk, ...]]]:
    """Chunks per letter of (spelling, phones) pairs; pairs with more than MOST_PHONES phones a letter are left out."""
    costs = _first_costs(words)
    aligned: list[tuple[str, tuple[Chunk, ...]]] = []
    for _ in range(rounds):
        aligned = [
            (spelling, chunks) for spelling, phones in words if (chunks := _best(spelling, phones, costs)) is not None
        ]
        costs = _costs(Counter(pair for spelling, chunks in aligned for pair in zip(spelling, chunks, strict=True)))
    return aligned


class _Costs(dict[tuple[str, Chunk], float]):
    """Cost in nats of a chunk given its letter; unseen pairs cost what their length costs, and more."""

    def __missing__(self, pair: tuple[str, Chunk]) -> float:
        return 12.0 + _LENGTH_COST[len(pair[1])]


def _first_costs(words: Iterable[tuple[str, Chunk]]) -> _Costs:
    """From how often a letter and a phone stand at about the same relative place."""
    together: Counter[tuple[str, str]] = Counter()
    letters: Counter[str] = Counter()
    for spelling, phones in words:
        for index, letter in enumerate(spelling):
            letters[letter] += 1
            centre = (index + 0.5) / len(spelling) * len(phones)
            for place in {max(0, int(centre - 0.5)), min(len(phones) - 1, int(centre + 0.5))}:
                together[letter, phones[place]] += 1
    costs = _Costs()
    for (letter, phone), count in together.items():
        costs[letter, (phone,)] = -math.log(count / letters[letter] / 2)
    for letter in letters:
        costs[letter, ()] = 3.0 + _LENGTH_COST[0]
    return costs


def _costs(counts: Counter[tuple[str, Chunk]]) -> _Costs:
    letters: Counter[str] = Counter()
    for (letter, _), count in counts.items():
        letters[letter] += count
    return _Costs({pair: -math.log(count / (letters[pair[0]] + _SMOOTHING)) for pair, count in counts.items()})


def _best(spelling: str, phones: Chunk, costs: _Costs) -> tuple[Chunk, ...] | None:
    """The cheapest chunks for the letters, or None if the phones do not fit."""
    size = len(phones)
    best: list[float] = [0.0] + [math.inf] * size
    steps: list[list[int]] = []
    for letter in spelling:
        following, taken = [math.inf] * (size + 1), [0] * (size + 1)
        for end in range(size + 1):
            for length in range(min(MOST_PHONES, end) + 1):
                before = best[end - length]
                if before < math.inf:
                    cost = before + costs[letter, phones[end - length : end]]
                    if cost < following[end]:
                        following[end], taken[end] = cost, length
        best = following
        steps.append(taken)
    if best[size] == math.inf:
        return None
    chunks: list[Chunk] = []
    end = size
    for taken in reversed(steps):
        chunks.append(phones[end - taken[end] : end])
        end -= taken[end]
    return tuple(reversed(chunks))
