"""How a word is said: the dictionary, else the word that it is made from, else its letters. Never fails for a word of letters."""

from __future__ import annotations

import re
from functools import lru_cache

from trainer.text import dictionary, inflection, letters_to_phones
from trainer.text.words import Pronunciation

LONGEST = 45
"""Letters of the longest word that is read as one; what is longer is cut into pieces before."""

_OWN = {
    "a": ("AH0", "EY1"),
    "e": ("IY1",),
    "shh": ("SH",),
    "sh": ("SH",),
    "pst": ("P S T",),
    "psst": ("P S T",),
    "hm": ("HH AH1 M",),
    "hmm": ("HH AH1 M",),
    "mm": ("AH1 M",),
    "mmm": ("AH1 M",),
    "mhm": ("AH0 M HH AH1 M",),
    "brr": ("B ER1",),
    "grr": ("G ER1",),
    "tsk": ("T IH1 S K",),
    "pfft": ("P F AH1 T",),
    "zzz": ("Z Z Z",),
    "nth": ("EH1 N TH",),
    "wifi": ("W AY1 F AY2",),
    "covid": ("K OW1 V IH0 D",),
    "emoji": ("IH0 M OW1 JH IY0",),
    "gif": ("G IH1 F", "JH IH1 F"),
    "sars": ("S AA1 R Z",),
    "unicode": ("Y UW1 N IH0 K OW2 D",),
    "miz": ("M IH1 Z",),
    "missus": ("M IH1 S IH0 Z",),
    "rupee": ("R UW0 P IY1", "R UW1 P IY0"),
    "rupees": ("R UW0 P IY1 Z", "R UW1 P IY0 Z"),
    "'n'": ("AH0 N",),
    "bitcoin": ("B IH1 T K OY2 N",),
    "facebook": ("F EY1 S B UH2 K",),
    "youtube": ("Y UW1 T UW2 B",),
    "livestream": ("L AY1 V S T R IY2 M",),
    "javascript": ("JH AA1 V AH0 S K R IH2 P T",),
    "kubernetes": ("K UW2 B ER0 N EH1 T IY0 Z",),
}
"""What the dictionary lacks or knows only by another reading."""

_SPELT_LETTER = re.compile(r"([A-Z])('?s)?")
_VOWEL = re.compile(r"[aeiouy]")
_REPEATED = re.compile(r"(.)\1{2,}")


@lru_cache(maxsize=50_000)
def pronounce(word: str) -> tuple[Pronunciation, ...]:
    """Pronunciations of a word of at most LONGEST letters a-z and apostrophes, the default first; at least one.

    A capital alone (with `s` or `'s`, if need be) is the name of that letter.
    """
    if spelt := _SPELT_LETTER.fullmatch(word):
        phones = dictionary.letter(spelt[1].lower())
        return (inflection.with_s(phones) if spelt[2] else phones,)
    return known(word) or _drawn_out(word) or (_letters(word),)


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
