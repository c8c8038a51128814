"""Words that are spelt alike and said otherwise: the ways to say each, by class (`verb`, `other`, `metal`, ...)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from trainer.text import dictionary
from trainer.text.inflection import with_s
from trainer.text.tables import table
from trainer.text.words import Pronunciation

Ways = Mapping[str, Pronunciation]
"""By class."""

_TABLE = table("homographs")
_FIRST_OR_LAST = frozenset(_TABLE["first_or_last"].split())
"""Stressed on the first syllable, as verbs on a later one: a record, to record."""
_EIGHT_OR_IT = frozenset(_TABLE["eight_or_it"].split())
"""Their -ate is reduced, but not in verbs: a separate room, to separate."""
NAMES = frozenset(word for word, ways in _TABLE["others"].items() if "name" in ways)
"""Said otherwise with a capital."""


@cache
def ways(word: str) -> Ways:
    """Class -> pronunciation; empty for a word that has no such classes."""
    if word in _TABLE["others"]:
        return {name: tuple(phones.split()) for name, phones in _TABLE["others"][word].items()}
    if word in _FIRST_OR_LAST:
        known = dictionary.variants(word)
        return {"other": min(known, key=_stressed), "verb": max(known, key=_stressed)}
    if word in _EIGHT_OR_IT:
        known = dictionary.variants(word)
        return {
            "other": next(phones for phones in known if not phones[-2].startswith("EY")),
            "verb": next(phones for phones in known if phones[-2].startswith("EY")),
        }
    if word.endswith("s") and word[:-1] in _FIRST_OR_LAST | _EIGHT_OR_IT:
        return {name: with_s(phones) for name, phones in ways(word[:-1]).items()}
    return {}


@cache
def clues(word: str) -> Mapping[str, str]:
    """Words that name the class when they stand in the same sentence."""
    found = _TABLE["clues"].get(word, {})
    return {clue: name for name, several in found.items() for clue in several.split()}


def _stressed(phones: Pronunciation) -> int:
    return next(place for place, phone in enumerate(phones) if phone.endswith("1"))
