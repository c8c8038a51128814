"""What an analysed text is made of."""

from __future__ import annotations

from dataclasses import dataclass

from trainer.errors import DataError

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
    settled: bool = False
    """Whether only the first is meant: the name of a letter, or a homograph that the words around it decide."""


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
