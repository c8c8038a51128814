"""The symbols that text becomes and that every model speaks: ARPAbet with lexical stress, and pauses.

ARPAbet as in the CMU Pronouncing Dictionary: 24 consonants, 15 vowels with stress 0 (none), 1 (primary) or 2 (secondary).
"""

from __future__ import annotations

CONSONANTS = tuple("B CH D DH F G HH JH K L M N NG P R S SH T TH V W Y Z ZH".split())
VOWELS = tuple("AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW".split())
STRESSES = ("0", "1", "2")

PADDING = "<pad>"
SILENCE = "SIL"
"""Silence without punctuation: at both ends of an utterance, and where a speaker paused between two words."""
MARKS = (",", ".", "?", "!")
"""Punctuation that is spoken as a pause and shapes the melody before it; each is a symbol whose duration may be zero."""
PAUSES = (SILENCE, *MARKS)

SYMBOLS = (PADDING, *PAUSES, *CONSONANTS, *(vowel + stress for vowel in VOWELS for stress in STRESSES))
"""Every symbol; its index is its id in all weights, so the order is part of the checkpoint format."""
ID = {symbol: index for index, symbol in enumerate(SYMBOLS)}


def without_stress(symbol: str) -> str:
    """`AH0` -> `AH`; other symbols as they are."""
    return symbol[:-1] if symbol[-1] in STRESSES else symbol
