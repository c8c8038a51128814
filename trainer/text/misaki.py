"""Words as symbols of the misaki alphabet, pronounced in their sentence by the package hibari-tts (Apache-2.0).

It knows weak forms (was, and, to), what is stressed, and how homographs are said (he read it, to read it), from a tagger of its own.
Numbers, abbreviations and signs are written out before, by `trainer.text.spoken`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any

from trainer.errors import import_failures
from trainer.text.words import Word

_SPACE_BEFORE_MARK = re.compile(r"\s+(?=[,.?!])")
_LETTER_A = ("EY1",)


def phonemes(words: Sequence[Word]) -> str:
    """What is spoken, with the marks between (the last word's mark ends it, "." if none); raises RuntimeSetupError(missing_module)."""
    ended = [*words[:-1], Word(words[-1].text, words[-1].pronunciations, words[-1].mark or ".")]
    # A mark stands apart, so that none is taken for an abbreviation's full stop.
    written = " ".join(f"{text} {mark}" if mark else text for text, mark in _written(ended))
    return _SPACE_BEFORE_MARK.sub("", _pronouncer()(written, normalize_text=False))


def load() -> None:
    """Read the dictionaries once; raises RuntimeSetupError(missing_module)."""
    _pronouncer()


@lru_cache(maxsize=1)
def _pronouncer() -> Any:
    with import_failures():
        from hibari.g2p import G2P
    return G2P()


def _written(words: Sequence[Word]) -> list[tuple[str, str]]:
    """(text, mark) pairs; names of letters are capitals, and those of one abbreviation one word (h q: HQ)."""
    written: list[tuple[str, str]] = []
    for letters, run in groupby(words, key=_is_letter):
        if not letters:
            written += [(word.text, word.mark) for word in run]
            continue
        joined = ""
        for word in run:
            joined += word.text.upper()
            if word.mark:
                written.append((joined, word.mark))
                joined = ""
        if joined:
            written.append((joined, ""))
    return written


def _is_letter(word: Word) -> bool:
    # The article is pronounced otherwise.
    return len(word.text) == 1 and word.text.isalpha() and (word.text != "a" or word.pronunciations[0] == _LETTER_A)
