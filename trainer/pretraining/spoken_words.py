"""What a synthesiser really said: its phones assigned to the words of the sentence, with stress from the dictionary.

Phone names are the synthesiser's, so that symbols and sound agree; the dictionary only says where words begin and which vowel is stressed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from trainer.pretraining.texts import Sentence, pronunciations
from trainer.teachers.flite import Segment
from trainer.text.phone_set import ID, SILENCE, VOWELS, without_stress

MAX_COST = 0.12
"""Mean edit cost per phone above which synthesiser and dictionary did not read the same words."""
_SPREAD = 3  # phones that a word may have more or fewer than the dictionary says
_BEAM = 4.0

Symbols = tuple[tuple[str, ...], tuple[float, ...]]
"""Symbols, and the end of each in seconds."""


def symbols(sentence: Sentence, segments: Sequence[Segment]) -> Symbols | None:
    """Symbols of a spoken sentence with their ends, or None where the phones do not fit its words.

    A pause belongs to the mark before it, or is SIL; a mark without a pause ends where the phone before it ends.
    """
    spoken = [segment for segment in segments if segment.phone]
    if any(segment.phone not in VOWELS and segment.phone not in ID for segment in spoken):
        return None
    pauses = _pauses(segments)
    bounds = _word_bounds(sentence.words, [segment.phone for segment in spoken], frozenset(pauses))
    if bounds is None:
        return None
    names: list[str] = [SILENCE]
    ends = [pauses.get(0, 0.0)]
    for index, mark in enumerate(sentence.marks):
        first, last = bounds[index], bounds[index + 1]
        names.extend(_stressed(sentence.words[index], spoken[first:last]))
        ends.extend(segment.end_s for segment in spoken[first:last])
        if mark or last in pauses:
            names.append(mark or SILENCE)
            ends.append(pauses.get(last, ends[-1]))
    return tuple(names), tuple(ends)


def _pauses(segments: Sequence[Segment]) -> dict[int, float]:
    """Number of phones before each pause -> where the pause ends, in seconds."""
    pauses: dict[int, float] = {}
    count = 0
    for segment in segments:
        if segment.phone:
            count += 1
        else:
            pauses[count] = segment.end_s
    return pauses


def _word_bounds(words: Sequence[str], phones: Sequence[str], pauses: frozenset[int]) -> list[int] | None:
    """Index of each word's first phone, and the end; by dynamic programming over the words."""
    costs: dict[int, float] = {0: 0.0}
    back: list[dict[int, int]] = []
    for word in words:
        following: dict[int, float] = {}
        chosen: dict[int, int] = {}
        for start, cost in costs.items():
            for end in _ends(word, start, phones, pauses):
                total = cost + _word_cost(word, tuple(phones[start:end]))
                if total < following.get(end, math.inf):
                    following[end], chosen[end] = total, start
        if not following:
            return None
        best = min(following.values())
        costs = {end: cost for end, cost in following.items() if cost <= best + _BEAM}
        back.append(chosen)
    if costs.get(len(phones), math.inf) > MAX_COST * max(1, len(phones)):
        return None
    bounds = [len(phones)]
    for chosen in reversed(back):
        bounds.append(chosen[bounds[-1]])
    return bounds[::-1]


def _ends(word: str, start: int, phones: Sequence[str], pauses: frozenset[int]) -> list[int]:
    lengths = [len(variant) for variant in pronunciations()[word]]
    ends = []
    for end in range(start + 1, min(len(phones), start + max(lengths) + _SPREAD) + 1):
        if end >= start + min(lengths) - _SPREAD:
            ends.append(end)
        if end in pauses:  # nobody pauses within a word
            break
    return ends


@lru_cache(maxsize=100_000)
def _word_cost(word: str, phones: tuple[str, ...]) -> float:
    return min(
        _edit_cost(tuple(without_stress(phone) for phone in variant), phones) for variant in pronunciations()[word]
    )


def _edit_cost(expected: tuple[str, ...], spoken: tuple[str, ...]) -> float:
    row = [0.8 * index for index in range(len(spoken) + 1)]
    for phone in expected:
        previous, row = row, [row[0] + 0.8]
        for index, other in enumerate(spoken):
            row.append(min(previous[index] + _substitution(phone, other), previous[index + 1] + 0.8, row[index] + 0.8))
    return row[-1]


def _substitution(phone: str, other: str) -> float:
    if phone == other:
        return 0.0
    both = {phone, other}
    if both <= {"AH", "IH", "EH", "UH"} or both in ({"T", "D"}, {"S", "Z"}, {"AO", "AA"}, {"AO", "OW"}, {"IH", "IY"}):
        return 0.2
    return 0.6 if phone in VOWELS and other in VOWELS else 1.2


def _stressed(word: str, segments: Sequence[Segment]) -> list[str]:
    """The phones of one word; vowels take the stress of the dictionary's vowel at the same place."""
    spoken = tuple(segment.phone for segment in segments)
    variant = min(
        pronunciations()[word], key=lambda each: _edit_cost(tuple(without_stress(phone) for phone in each), spoken)
    )
    stresses = [phone[-1] for phone in variant if without_stress(phone) in VOWELS]
    count = sum(phone in VOWELS for phone in spoken)
    names, vowel = [], 0
    for segment in segments:
        if segment.phone not in VOWELS:
            names.append(segment.phone)
            continue
        if segment.reduced:
            stress = "0"
        elif vowel < len(stresses):
            stress = stresses[vowel]
        else:
            stress = "1" if count == 1 else "0"
        names.append(segment.phone + stress)
        vowel += 1
    return names
