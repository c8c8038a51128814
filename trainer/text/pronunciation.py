"""How a word is said: the dictionary, else the word that it is made from, else its letters. Never fails for a word of letters."""

from __future__ import annotations

import re
from functools import lru_cache

from trainer.text import dictionary, inflection, letters_to_phones
from trainer.text.tables import table
from trainer.text.words import Pronunciation

LONGEST = 45
"""Letters of the longest word that is read as one; what is longer is cut into pieces before."""

_NAMES = table("pronunciations")["names"]
"""Names, mostly, that the dictionaries say in a way nobody does."""
_OWN = table("pronunciations")["own"] | {word: [phones] for word, phones in _NAMES.items()}
"""What the dictionary lacks or knows only by another reading."""

_SPELT_LETTER = re.compile(r"([A-Z])('?s)?")
_VOWEL = re.compile(r"[aeiouy]")
_REPEATED = re.compile(r"(.)\1{2,}")


@lru_cache(maxsize=50_000)
def pronounce(word: str) -> tuple[Pronunciation, ...]:
    """Pronunciations of a word of at most LONGEST letters a-z and apostrophes, the default first; at least one.

    A capital alone (with `s` or `'s`, if need be) is the name of that letter.
    """
    if is_letter(word):
        phones = dictionary.letter(word[0].lower())
        return (inflection.with_s(phones) if word[1:] else phones,)
    word = word.lower()
    return known(word) or _drawn_out(word) or (_letters(word),)


def is_letter(word: str) -> bool:
    """Whether a word as it is spoken names a letter: `A`, `Ds`, `S's`."""
    return _SPELT_LETTER.fullmatch(word) is not None


def is_settled(word: str) -> bool:
    """Whether a word as it is spoken is said as `pronounce` says it, whatever other dictionaries have."""
    return is_letter(word) or word.removesuffix("'s") in _NAMES


def known(word: str, depth: int = 2) -> tuple[Pronunciation, ...]:
    """Pronunciations from the dictionary or derived from it in at most `depth` steps; none if that gives none."""
    if word in _OWN:
        return tuple(tuple(phones.split()) for phones in _OWN[word])
    if found := dictionary.variants(word):
        return found
    return inflection.derived(word, lambda stem: known(stem, depth - 1)) if depth and word else ()


def _drawn_out(word: str) -> tuple[Pronunciation, ...]:
    """`sooo`, `nooo`, `yesss`: letters written three times and more, once or twice."""
    for kept in (r"\1", r"\1\1"):
        shorter = _REPEATED.sub(kept, word)
        if shorter != word and (found := known(shorter)):
            return found
    return ()


def _letters(word: str) -> Pronunciation:
    """Phones from the letters alone: spelt without a vowel letter, else guessed."""
    letters = "".join(letter for letter in word.lower() if letter in letters_to_phones.ALPHABET)
    letters = _REPEATED.sub(r"\1\1", letters)[: letters_to_phones.MOST_LETTERS]
    guessed = letters_to_phones.predict(letters) if len(letters) > 1 and _VOWEL.search(letters) else ()
    return guessed or tuple(phone for letter in letters for phone in dictionary.letter(letter)) or ("AH0",)
