"""Words as symbols of the misaki alphabet, pronounced in their sentence with the dictionaries of hibari-tts (Apache-2.0).

The package knows weak forms (was, and, to) and what is stressed. Homographs that the words around decide (he read it, to read it) and the
names of letters are settled before, by `trainer.text.context`; where that is unsure, the package's tagger decides. A word that its
dictionaries lack is said as `trainer.text.pronunciation` says it: from the CMU dictionary, else from its letters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from trainer.errors import RuntimeSetupError, import_failures
from trainer.files import plain_file
from trainer.files.plain_file import PlainFileError
from trainer.models.natural.from_arpabet import symbols
from trainer.text import pronunciation
from trainer.text.packed_table import PackedTable
from trainer.text.words import Word

_SPACE_BEFORE_MARK = re.compile(r"\s+(?=[,.?!])")
_CONTRACTED = re.compile(r"(?:n't|'(?:ll|ve|re|d|m))$")
_ALIKE = str.maketrans({"ˌ": None, "ɾ": "t", "T": "t", **dict.fromkeys("ɪᵻᵊʊ", "ə")})
_RECENT = 4096
_ASSETS = {
    "lexicon_us_gold.json.gz": "63ae94f8ef0e906d5b24fe9b59ffcbd1529aca5686a774610e43973cbaa86ad2",
    "lexicon_us_silver.json.gz": "c4c2546ebf1eb07010331e7ef785a431aa17ba8e7bfb6b4af8d654ee96a71fd3",
    "tagger.json.gz": "d2da7502284bbbe45d49e0b7ce3ce67bdab82254150f4317f1b8559b4d38d0eb",
    "tokenizer_exceptions.json": "ddf3a3da07bdcf5144270ea4530191d8580fb4fd6f5ae93296e87916e795659a",
}
"""SHA-256 of what hibari-tts 0.2.1 pronounces from; other files would give other symbols."""
_NEXT_STEP = "install the package again: pip install --force-reinstall --no-deps hibari-tts==0.2.1"


def phonemes(words: Sequence[Word]) -> str:
    """What is spoken, with the marks between (the last word's mark ends it, "." if none); raises RuntimeSetupError as `load`."""
    return _pronouncer()([*words[:-1], replace(words[-1], mark=words[-1].mark or ".")])


def load() -> None:
    """Read the dictionaries once; raises RuntimeSetupError(missing_module | weights_missing_offline | weights_corrupt)."""
    _pronouncer()


@lru_cache(maxsize=1)
def _pronouncer() -> _Pronouncer:
    with import_failures():
        from hibari import g2p
        from hibari.g2p.token import Tok
    _check(Path(g2p.ASSETS))
    with import_failures():
        found = g2p.G2P(oov=_read)
    # As dictionaries they would take 60 MB more.
    for table, name in ((found.lexicon.golds, "d"), (found.lexicon.silvers, "d"), (found.tagger, "weights")):
        setattr(table, name, PackedTable(getattr(table, name)))
    return _Pronouncer(found, Tok)


def _read(word: str) -> str:
    """What is said for a word that the package's dictionaries lack."""
    return symbols(pronunciation.pronounce(word.lower())[0])


class _Pronouncer:
    """The package's dictionaries and rules, with what is settled before them."""

    def __init__(self, package: Any, token: Callable[..., Any]) -> None:
        self._package = package
        self._token = token
        self._parts = lru_cache(maxsize=_RECENT)(lambda text: tuple(package.tokenizer.split(text)))

    def __call__(self, words: Sequence[Word]) -> str:
        """What is spoken for words of which the last has a mark."""
        tokens = list(self._tokens(words))
        for token, tag in zip(tokens, self._package.tagger([token.text for token in tokens]), strict=True):
            # The tagger takes some articles for letters.
            token.tag = "DT" if token.text == "a" else tag
        found = self._package.phonemize_tokens(tokens)
        return _SPACE_BEFORE_MARK.sub("", "".join(token.phonemes + token.whitespace for token in found)).strip()

    def _tokens(self, words: Sequence[Word]) -> Iterator[Any]:
        """Of each word and mark; the names of letters that follow each other are one."""
        spelt = ""
        for word, following in zip(words, [*words[1:], None], strict=True):
            if not _is_letter(word):
                yield from self._of_word(word)
            else:
                spelt += word.text[0].upper()
                if following and _is_letter(following) and not word.mark and len(word.text) == 1:
                    continue
                yield self._token(spelt, whitespace=" ", phonemes=self._spelt(spelt, word))
                spelt = ""
            if word.mark:
                yield self._token(word.mark, whitespace=" ")

    def _of_word(self, word: Word) -> Iterator[Any]:
        if word.settled:
            yield self._token(word.text, whitespace=" ", phonemes=self._said(word))
            return
        contracted = _CONTRACTED.search(word.text)
        if word.text[0] == "'" or (contracted and word.text not in self._package.lexicon.golds):
            # The tokenizer would cut it; its words are weak.
            yield self._token(word.text, whitespace=" ", phonemes=_read(word.text).replace("ˈ", "ˌ"))
            return
        *parts, last = self._parts("I" if word.text == "i" else word.text)
        yield from map(self._token, parts)
        yield self._token(last, whitespace=" ")

    def _spelt(self, letters: str, last: Word) -> str:
        """`CD`, `HQ's`: no word, whatever the dictionary has under these letters."""
        said: str = self._package.lexicon.get_NNP(letters)[0]
        return said if len(last.text) == 1 else self._package.lexicon._s(said)

    def _said(self, word: Word) -> str:
        """The dictionary's reading that is heard as the wanted one, else that one."""
        wanted = symbols(word.pronunciations[0])
        entry = self._package.lexicon.golds.get(word.text)
        known = entry.values() if isinstance(entry, dict) else [entry]
        return next((one for one in known if one and heard(one) == heard(wanted)), wanted)


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


def _is_letter(word: Word) -> bool:
    return word.settled and len(word.text.rstrip("s").rstrip("'") or "s") == 1


def heard(said: str) -> str:
    """Without what hardly differs: secondary stress, and which weak vowel it is."""
    return said.translate(_ALIKE).replace("əw", "ə")
