"""Which pronunciation of a word comes first, by the words around it: articles before vowels, and words that are said in several ways."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from trainer.text import homographs
from trainer.text.part_of_speech import (
    ARTICLES,
    BE,
    DEGREES,
    HAVE,
    MODALS,
    NUMBERS,
    OBJECTS,
    PREPOSITIONS,
    SUBJECTS,
    Place,
    is_plural,
    part,
    place,
)
from trainer.text.words import Pronunciation

Variants = tuple[Pronunciation, ...]

_PAST = frozenset(
    "yesterday ago earlier was were had did said went came saw took gave told knew thought found left made got once last".split()
)
_HABIT = frozenset("every often always usually sometimes daily never weekly regularly today who now".split())
_SINGULAR = frozenset("he she it nobody everyone everybody someone somebody anyone".split())
_SEEMING = BE | frozenset(
    "seem seems seemed feel feels felt look looks looked remain remained stay stayed sat stood lay not perfectly become became".split()
)
_NEAR = frozenset(
    "to by friend friends enough together call range relatives relative at attention quarters look up".split()
)
_BEFORE_NEAR = frozenset(
    "come came comes coming getting get got stood stand keep kept sat sit stay stayed too so very as is was are were".split()
)
_BEFORE_LIVE = frozenset(
    "go goes going went play plays played perform performs performed watch watched broadcast streamed seen".split()
)
_WAYS_ROUND = frozenset("up down around round through along into between past across itself tightly".split())
_DOWN = frozenset("into in under off down for through beneath over headfirst".split())
_LED = frozenset("to by us me them singer role actor actress guitarist story author vocals time".split())
_PLACES = frozenset({"nice", "reading", "mobile"})
_BEFORE_PLACE = frozenset("in to from near at of".split())
_SEVERAL = frozenset("the two three four five six several many some these those".split())


def chosen(words: Sequence[str], marks: Sequence[str], index: int, *, named: bool = False) -> Pronunciation | None:
    """How words[index] is said there; None where the words around do not tell, or it is said in one way only.

    `words` in lower case, `marks` after each of them; `named`: it was written with a capital.
    """
    ways = homographs.ways(words[index])
    if not ways:
        return None
    found = place(words, marks, index)
    if "name" in ways:
        return ways[(_named if named else _unnamed)(found)]
    rule = _RULES.get(found.word)
    return ways.get((rule(found) if rule else "") or _by_clues(found, ways))


def _by_clues(found: Place, ways: homographs.Ways) -> str:
    """Where it is no verb, another word of the sentence may tell which noun it is."""
    of_speech = part(found)
    if of_speech == "verb":
        return "verb" if "verb" in ways else "other"
    clues = homographs.clues(found.word)
    usual = of_speech if "verb" in ways else "other"
    return next((clues[word] for word in found.words if word in clues), usual)


def ordered(
    words: Sequence[str], marks: Sequence[str], index: int, variants: Variants, following: Variants, *, named: bool
) -> tuple[Variants, bool]:
    """The variants of words[index] with the one that fits its place first, and whether the words around chose it.

    `following` are the variants of the next word (none at the end).
    """
    if words[index] == "the":
        vowel = bool(following) and following[0][0][-1].isdigit()
        return _first(variants, ("DH", "IY0" if vowel else "AH0")), False
    found = chosen(words, marks, index, named=named)
    usual = found or homographs.ways(words[index]).get("other")
    return (_first(variants, usual) if usual else variants), found is not None


def _first(variants: Variants, usual: Pronunciation) -> Variants:
    return (usual, *(phones for phones in variants if phones != usual))


def _named(found: Place) -> str:
    """A capital is a name's, but not where it opens the sentence: `Polish workers`, `Polish the table`, `Nice to see you`."""
    if found.word in _PLACES:
        return "name" if found.next_to in _BEFORE_PLACE else "other"
    opens = not found.next_to and (found.after in ARTICLES or found.word == "herb")
    return "other" if opens and found.word != "august" else "name"


def _unnamed(found: Place) -> str:
    """A date that was written out has its month without a capital."""
    if found.word != "august":
        return "other"
    return "adjective" if found.next_to in ("an", "most", "so", "these", "those", "more") else "name"


def _read(found: Place) -> str:
    before, past = found.before, bool(_PAST & {*found.words})
    if before in BE or before in HAVE or before == "well":
        return "past"
    if not before or before == "to" or before in MODALS:
        return "other"
    if before in SUBJECTS or before in OBJECTS or before in _SINGULAR:
        # In a question, the auxiliary before the subject tells.
        if found.earlier in HAVE:
            return "past"
        if found.earlier in MODALS:
            return "other"
        return "past" if before in _SINGULAR or (past and not _HABIT & {*found.words}) else "other"
    if is_plural(before) or before in ("and", "or", "but", "many", "all", "both", "few"):
        return "past" if past else "other"
    return "other" if before in ARTICLES or before in NUMBERS else "past"


def _close(found: Place) -> str:
    if found.before in MODALS or found.before in SUBJECTS or found.before == "to" or found.after == "of":
        return "verb"
    return "other" if found.after in _NEAR or found.before in _BEFORE_NEAR else ""


def _live(found: Place) -> str:
    if found.before in SUBJECTS or found.before in MODALS or found.before in ("to", "who") or found.earlier in MODALS:
        return "verb"
    if found.before in _BEFORE_LIVE or found.before in ARTICLES or found.before in BE:
        return "other"
    return "verb" if found.after in PREPOSITIONS or found.after in ("there", "here", "alone", "together") else ""


def _wound(found: Place) -> str:
    if found.before in ARTICLES or found.before in PREPOSITIONS or found.before in NUMBERS:
        return "other"
    base = found.before == "to" or found.before in MODALS
    return "past" if found.after in _WAYS_ROUND or (found.after in ARTICLES and not base) else "other"


def _winds(found: Place) -> str:
    """`The road winds through`; `the strong winds up there` are rare."""
    bare = found.before not in ARTICLES and found.before not in NUMBERS
    return "verb" if bare and found.after in _WAYS_ROUND else ""


def _dove(found: Place) -> str:
    return "past" if found.after in _DOWN and found.before not in ARTICLES else "other"


def _does(found: Place) -> str:
    return "deer" if found.next_to in _SEVERAL else "other"


def _invalid(found: Place) -> str:
    """`the invalid was`, but `the invalid ticket`."""
    alone = not found.after or found.after in BE or found.after in HAVE or found.after in MODALS
    return "person" if alone and found.next_to in ARTICLES else "other"


def _lead(found: Place) -> str:
    return "other" if found.after in _LED else ""


def _state(found: Place) -> str:
    """`content to wait`, `quite content`, `so minute`: after "to be" and its like, or a degree, with no noun behind."""
    if found.before in DEGREES or found.next_to in DEGREES:
        return "adjective"
    if found.word == "content" and found.after in ("to", "with") and found.before not in ARTICLES:
        return "adjective"
    alone = not found.after or found.after in PREPOSITIONS or found.after in ("and", "but", "or", "to")
    return "adjective" if alone and found.before in _SEEMING else ""


def _with_syllable(found: Place) -> str:
    return "adjective" if found.next_to in ARTICLES or found.next_to in DEGREES else "other"


def _subject(found: Place) -> str:
    return "other" if found.after == "to" else ""


_RULES: dict[str, Callable[[Place], str]] = {
    "read": _read,
    "close": _close,
    "live": _live,
    "wound": _wound,
    "winds": _winds,
    "dove": _dove,
    "does": _does,
    "invalid": _invalid,
    "lead": _lead,
    "content": _state,
    "minute": _state,
    "learned": _with_syllable,
    "blessed": _with_syllable,
    "subject": _subject,
}
"""What is known of single words, before their part of speech and their clues are asked."""
