"""A text of any length as what is rendered in one go, in constant memory."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from trainer.files import text_file
from trainer.models.natural import alphabet
from trainer.models.natural.pronunciations import phonemes
from trainer.text import Sentence, TextError, is_foreign, iter_sentences
from trainer.text.characters import clean
from trainer.text.pronunciation import LONGEST

_LONG_WORD = re.compile(rf"[^\W\d_]{{{LONGEST + 1},}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One sentence as the networks take it: symbols (P,) int64 between two edges."""

    text: str
    symbols: np.ndarray
    words: int
    mark: str
    """The one that ends it: one of `,.?!` (a comma where a long sentence was cut)."""
    opens_paragraph: bool
    warnings: tuple[str, ...]
    """About the text up to here, since the passage before; one line each."""

    @property
    def is_pause(self) -> np.ndarray:
        """(P,) bool."""
        return alphabet.IS_PAUSE[self.symbols]

    @property
    def is_vowel(self) -> np.ndarray:
        """(P,) bool."""
        return alphabet.IS_VOWEL[self.symbols]


def passages(text: str | Iterable[str]) -> Iterator[Passage]:
    """Sentences of a text, or of lines as they come; raises TextError(text_empty) at the end of a text that had none.

    Paragraphs end at empty lines. The memory does not grow with the text.
    """
    notes: list[str] = []
    lines = text_file.lines(text) if isinstance(text, str) else text
    spoke = False
    for empty, paragraph in groupby(lines, key=lambda line: not line.strip()):
        if empty:
            continue
        opens = True
        for sentence in iter_sentences(_noted(paragraph, notes)):
            yield _passage(sentence, opens_paragraph=opens, warnings=tuple(dict.fromkeys(notes)))
            notes.clear()
            opens, spoke = False, True
    if not spoke:
        raise TextError(_nothing_said(notes), cause="text_empty")


def _passage(sentence: Sentence, *, opens_paragraph: bool, warnings: tuple[str, ...]) -> Passage:
    return Passage(
        text=sentence.text,
        symbols=alphabet.ids(phonemes(sentence.words)),
        words=len(sentence.words),
        mark=sentence.words[-1].mark or ".",
        opens_paragraph=opens_paragraph,
        warnings=warnings,
    )


def _noted(lines: Iterable[str], notes: list[str]) -> Iterator[str]:
    """The same lines; what a person should know about them goes to `notes`."""
    for line in lines:
        notes += clean(line)[1]
        notes += [f"a word of {len(word)} letters is read in pieces: {word[:20]}…" for word in _LONG_WORD.findall(line)]
        if is_foreign(line):
            notes.append(f"this does not look like English and is read as if it were: {line.strip()[:40]}…")
        yield line


def _nothing_said(notes: list[str]) -> str:
    why = f" ({notes[0]})" if notes else ""
    return f"the text has nothing in it that can be spoken{why}; give words in Latin letters or numbers"
