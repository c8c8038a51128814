"""Which pronunciation of a word comes first, by the words around it: articles before vowels, and words that are verb or noun."""

from __future__ import annotations

from collections.abc import Sequence

from trainer.text.tables import table
from trainer.text.words import Pronunciation

Variants = tuple[Pronunciation, ...]

_BEFORE_VERB = frozenset(
    "to will would shall should can could may might must not cannot can't won't don't doesn't didn't wouldn't couldn't shouldn't let's please"
    " i we you they i'll we'll you'll he'll she'll they'll i'd we'd you'd they'd who never always".split()
)
_BEFORE_NOUN = frozenset(
    "the a an this that these those my your his her its our their no any some every each one of in on for with from by much".split()
)
_BEFORE_PARTICIPLE = frozenset(
    "have has had having i've you've we've they've he's she's was were been be being is are never already just well".split()
)
_SUBJECTS = frozenset("i we you they who".split())
_PAST = frozenset("yesterday ago once then earlier last".split())

_VERB_AND_NOUN = table("pronunciations")["verb_and_noun"]
"""(as a verb, as a noun or adjective)"""
_VERB_BY_DEFAULT = frozenset({"live", "use", "produce", "refuse", "lives", "close"})

_LEAD_METAL = frozenset("pipe pipes paint poisoning pencil shot bullet bullets ore mine roof roofs type".split())
_LIVE_ADJECTIVE = frozenset(
    "music show shows broadcast concert wire wires stream audience tv video ammunition bait performance".split()
)
_CLOSE_ADJECTIVE = frozenset("to by friend friends enough together call range relatives at attention quarters".split())
_BEFORE_CLOSE_ADJECTIVE = frozenset("very so too as is was are were been come came getting quite stood keep".split())


def ordered(words: Sequence[str], index: int, variants: Variants, following: Variants) -> Variants:
    """The variants of words[index] with the one that fits its place first; `following` are those of the next word (none at the end)."""
    word = words[index]
    before = words[index - 1] if index else ""
    after = words[index + 1] if index + 1 < len(words) else ""
    if word == "the":
        vowel = bool(following) and following[0][0][-1].isdigit()
        return _first(variants, ("DH", "IY0" if vowel else "AH0"))
    if word == "read":
        past = (
            before in _BEFORE_PARTICIPLE
            or (before not in _BEFORE_VERB and before not in ("", "and", "or"))
            or bool(_PAST & {*words})
        )
        present = before in _BEFORE_VERB and not (before in _SUBJECTS and _PAST & {*words})
        return _first(variants, ("R", "EH1" if past and not present else "IY1", "D"))
    if word == "lead":
        return _first(variants, ("L", "EH1" if after in _LEAD_METAL or before in ("of", "molten") else "IY1", "D"))
    if word in _VERB_AND_NOUN:
        verb, noun = (tuple(phones.split()) for phones in _VERB_AND_NOUN[word])
        return _first(variants, verb if _is_verb(word, before, after) else noun)
    return variants


def _is_verb(word: str, before: str, after: str) -> bool:
    if word == "live" and after in _LIVE_ADJECTIVE:
        return False
    if word == "close" and (after in _CLOSE_ADJECTIVE or before in _BEFORE_CLOSE_ADJECTIVE):
        return False
    if before in _BEFORE_VERB:
        return True
    return word in _VERB_BY_DEFAULT and before not in _BEFORE_NOUN


def _first(variants: Variants, chosen: Pronunciation) -> Variants:
    return (chosen, *(phones for phones in variants if phones != chosen))
