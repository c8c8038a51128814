"""A text as sentences of words with pronunciations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from trainer.text.characters import clean
from trainer.text.context import ordered
from trainer.text.pronunciation import LONGEST, is_settled, pronounce
from trainer.text.sentences import split
from trainer.text.spoken import Spoken, spoken
from trainer.text.words import Analysis, Sentence, TextError, Word

MOST_WORDS = 40
"""Longer sentences are cut, at a comma where there is one, so that the memory of synthesis stays bounded."""
_LEAST_WORDS = 8
_PIECE = 20
_BLOCK = 20_000
_CLAUSE_STARTS = frozenset(
    "and but or because which who that when while where if although so then for with in to of".split()
)


def analyse(text: str) -> Analysis:
    """Sentences of a text in English; raises TextError(text_empty) if nothing in it can be spoken.

    Numbers, abbreviations and signs are written out. Characters that cannot be spoken are left out and named in a warning.
    """
    cleaned, warnings = clean(text)
    found: list[Sentence] = []
    notes = list(warnings)
    for piece in split(cleaned):
        found += _sentences(piece, notes)
    if not found:
        raise TextError(
            "the text has nothing in it that can be spoken; give words in Latin letters or numbers", cause="text_empty"
        )
    return Analysis(tuple(found), tuple(dict.fromkeys(notes)))


def iter_sentences(text: str | Iterable[str]) -> Iterator[Sentence]:
    """Sentences of a text, or of the lines of a file, as they come; memory does not grow with the text. Silent texts give none."""
    waiting = ""
    for line in text.splitlines(keepends=True) if isinstance(text, str) else text:
        waiting += line if line.endswith("\n") else f"{line}\n"
        if line.strip() and len(waiting) < _BLOCK:
            continue
        pieces = list(split(clean(waiting)[0]))
        waiting = pieces.pop() + "\n" if line.strip() and len(pieces) > 1 else ""
        for piece in pieces:
            yield from _sentences(piece, [])
    for piece in split(clean(waiting)[0]):
        yield from _sentences(piece, [])


def _sentences(piece: str, notes: list[str]) -> list[Sentence]:
    """One cleaned sentence as words; as several sentences if it is too long, as none if nothing in it is spoken."""
    words = _words(_cut_words(spoken(piece), notes))
    if len(words) <= MOST_WORDS:
        return [Sentence(" ".join(piece.split()), words)] if words else []
    parts = list(_clauses(words))
    return [Sentence(" ".join(word.text + word.mark for word in part), part) for part in parts]


def _cut_words(words: Iterable[Spoken], notes: list[str]) -> list[Spoken]:
    cut: list[Spoken] = []
    for word, mark in words:
        if len(word) <= LONGEST:
            cut.append((word, mark))
            continue
        notes.append(f"a word of {len(word)} letters is read in pieces: {word[:20]}…")
        pieces = [word[start : start + _PIECE].strip("'") for start in range(0, len(word), _PIECE)]
        cut += [(piece, "") for piece in pieces if piece]
        cut[-1] = (cut[-1][0], mark)
    return cut


def _words(said: Sequence[Spoken]) -> tuple[Word, ...]:
    variants = [pronounce(word) for word, _ in said]
    texts, marks = [word.lower() for word, _ in said], [mark for _, mark in said]
    words = []
    for index, (word, mark) in enumerate(said):
        ways, settled = variants[index], is_settled(word)
        if not settled:
            following = variants[index + 1] if index + 1 < len(said) else ()
            ways, settled = ordered(texts, marks, index, ways, following, named=word[0].isupper())
        words.append(Word(texts[index], ways, mark, settled))
    return tuple(words)


def _clauses(words: tuple[Word, ...]) -> Iterator[tuple[Word, ...]]:
    """Pieces of at most MOST_WORDS words: cut after the last mark that leaves enough on both sides, else before a conjunction, else anywhere."""
    while len(words) > MOST_WORDS:
        places = range(min(MOST_WORDS, len(words) - _LEAST_WORDS), _LEAST_WORDS - 1, -1)
        at_mark = next((place for place in places if words[place - 1].mark), None)
        at_word = next((place for place in places if words[place].text in _CLAUSE_STARTS), None)
        place = at_mark or at_word or places[0]
        first, words = words[:place], words[place:]
        if not first[-1].mark:
            first = (*first[:-1], replace(first[-1], mark=","))
        yield first
    yield words
