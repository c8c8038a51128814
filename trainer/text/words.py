"""What an analysed text is made of, and its form as symbols for the models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trainer.errors import DataError
from trainer.text.phones import SILENCE

Pronunciation = tuple[str, ...]
"""Phones of one word, in order, without pauses; never empty."""


class TextError(DataError):
    """The text has nothing in it that can be spoken (cause `text_empty`)."""


@dataclass(frozen=True, slots=True)
class Word:
    """One spoken word: lower-case text, ways to say it (the default first), and the mark that follows it ("", ",", ".", "?", "!")."""

    text: str
    pronunciations: tuple[Pronunciation, ...]
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence as it was written (or, cut from a very long one, as it is spoken) and its words; never without words."""

    text: str
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Analysis:
    """A whole text, and what a person should know about it, one line each."""

    sentences: tuple[Sentence, ...]
    warnings: tuple[str, ...]


def symbols(words: Sequence[Word]) -> tuple[tuple[str, ...], tuple[bool, ...]]:
    """Default pronunciations as (symbols, word_starts), each (n,): SIL, phones and marks; the last word's mark ("." if none) ends it."""
    spoken, starts = [SILENCE], [False]
    for index, word in enumerate(words):
        phones = word.pronunciations[0]
        spoken += phones
        starts += [True] + [False] * (len(phones) - 1)
        mark = word.mark or ("." if index == len(words) - 1 else "")
        if mark:
            spoken.append(mark)
            starts.append(False)
    return tuple(spoken), tuple(starts)
