"""Words as symbols of the misaki alphabet, pronounced in their sentence by the package hibari-tts (Apache-2.0).

It knows weak forms (was, and, to), what is stressed, and how homographs are said (he read it, to read it), from a tagger of its own.
Numbers, abbreviations and signs are written out before, by `trainer.text.spoken`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

from trainer.errors import RuntimeSetupError, import_failures
from trainer.files import plain_file
from trainer.files.plain_file import PlainFileError
from trainer.text.packed_table import PackedTable
from trainer.text.words import Word

_SPACE_BEFORE_MARK = re.compile(r"\s+(?=[,.?!])")
_LETTER_A = ("EY1",)
_ASSETS = {
    "lexicon_us_gold.json.gz": "63ae94f8ef0e906d5b24fe9b59ffcbd1529aca5686a774610e43973cbaa86ad2",
    "lexicon_us_silver.json.gz": "c4c2546ebf1eb07010331e7ef785a431aa17ba8e7bfb6b4af8d654ee96a71fd3",
    "oov.json": "b462e6e5dbdf0e7346c732385d0dd844f612f1770871441c56932bff4ca75d8c",
    "oov.onnx": "d3cfd8122c5f172a98c8de38268bf1213ee09f2c2ae4df6e055fc6532590fe76",
    "tagger.json.gz": "d2da7502284bbbe45d49e0b7ce3ce67bdab82254150f4317f1b8559b4d38d0eb",
    "tokenizer_exceptions.json": "ddf3a3da07bdcf5144270ea4530191d8580fb4fd6f5ae93296e87916e795659a",
}
"""SHA-256 of what hibari-tts 0.2.1 pronounces from; other files would give other symbols."""
_NEXT_STEP = "install the package again: pip install --force-reinstall --no-deps hibari-tts==0.2.1"


def phonemes(words: Sequence[Word]) -> str:
    """What is spoken, with the marks between (the last word's mark ends it, "." if none); raises RuntimeSetupError as `load`."""
    ended = [*words[:-1], Word(words[-1].text, words[-1].pronunciations, words[-1].mark or ".")]
    # A mark stands apart, so that none is taken for an abbreviation's full stop.
    written = " ".join(f"{text} {mark}" if mark else text for text, mark in _written(ended))
    return _SPACE_BEFORE_MARK.sub("", _pronouncer()(written, normalize_text=False))


def load() -> None:
    """Read the dictionaries once; raises RuntimeSetupError(missing_module | weights_missing_offline | weights_corrupt)."""
    _pronouncer()


def digest() -> str:
    """Of everything that pronunciations come from; it needs no package."""
    return hashlib.sha256(json.dumps(_ASSETS, sort_keys=True).encode()).hexdigest()


@lru_cache(maxsize=1)
def _pronouncer() -> Any:
    with import_failures():
        from hibari import g2p
    _check(Path(g2p.ASSETS))
    with import_failures():
        found = g2p.G2P()
        # Else the network for unknown words would be read, and fail, in the middle of a text.
        _ = found.oov
    # As dictionaries they would take 60 MB more.
    for table, name in ((found.lexicon.golds, "d"), (found.lexicon.silvers, "d"), (found.tagger, "weights")):
        setattr(table, name, PackedTable(getattr(table, name)))
    return found


def _check(folder: Path) -> None:
    """Raise RuntimeSetupError for a file of the package that is missing or changed."""
    for name, wanted in _ASSETS.items():
        try:
            found = plain_file.sha256_through_links(folder / name)
        except PlainFileError as error:
            raise RuntimeSetupError(
                f"{folder / name}: {error}; {_NEXT_STEP}", cause="weights_missing_offline"
            ) from error
        if found != wanted:
            raise RuntimeSetupError(
                f"{folder / name} is not the file of hibari-tts 0.2.1 (its SHA-256 differs); {_NEXT_STEP}",
                cause="weights_corrupt",
            )


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
