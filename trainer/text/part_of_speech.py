"""Whether a word stands in its sentence as a verb or as a noun (or adjective), by its neighbours.

Evidence is added up: what stands before it (an article speaks for a noun, "to" for a verb) and what follows (an article speaks for a
verb, "of" for a noun). No tagger is learned: the classes of English function words are closed, and short.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

ARTICLES = frozenset(
    "the a an my your his its our their whose every each some any no another these those all both several many few much"
    " half such what which one's".split()
)
"""A noun phrase begins: articles, possessives, and what stands in their place."""
OBJECTS = frozenset(
    "me him us them it myself himself herself itself ourselves themselves yourself this that her".split()
)
SUBJECTS = frozenset("i you we they who".split())
"""The plain form of a verb follows."""
SUBJECTS_OF_S = frozenset("he she it who that this which what everyone everybody nobody someone somebody one".split())
"""A verb's form with -s follows."""
BE = frozenset(
    "is are was were be been being am isn't aren't wasn't weren't i'm you're we're they're he's she's it's that's".split()
)
HAVE = frozenset(
    "have has had having i've you've we've they've he's she's haven't hasn't hadn't i'd you'd we'd they'd he'd she'd".split()
)
MODALS = frozenset(
    "will would shall should can could may might must cannot can't won't wouldn't couldn't shouldn't mustn't don't doesn't didn't do did"
    " i'll you'll he'll she'll it'll we'll they'll i'd you'd we'd they'd he'd she'd let's please gonna".split()
)
"""The plain form of a verb follows, or an adverb or a pronoun and then it."""
ADVERBS = frozenset(
    "not never always often also just still already ever soon only even sometimes usually then now both really".split()
)
"""May stand between a subject and its verb."""
DEGREES = frozenset("very so too quite rather more most less fairly extremely as how pretty equally perfectly".split())
PREPOSITIONS = frozenset(
    "of in on at by for with from into under over without about between per after before during against through like as via despite"
    " than behind beyond within throughout upon among across near toward towards".split()
)
NUMBERS = frozenset(
    "one two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty hundred thousand million first second third"
    " last next other same own new old good bad great big small long short only final best worst little whole full poor rough free".split()
)
"""Numbers and short adjectives: a noun follows."""
CLAUSES = frozenset("that whether how why what where when who".split())
_ADJECTIVE = re.compile(r".{2,}(?:ous|ful|ive|less|able|ible|ical|ish|est|ary)|.{3,}(?:al|ic)")
_PLURALS = frozenset({"people", "men", "women", "children"})
_BEFORE_PREPOSITION = frozenset({"due", "close", "according", "listen", "up", "next", "thanks"})
"""After these, "to" is no sign of a verb."""
_CAUSING = frozenset("let help helps helped make makes made see hear watch".split())
"""After these and a pronoun a verb follows: `let me present`."""
_SURE = 2


@dataclass(frozen=True, slots=True)
class Place:
    """One word of a sentence, in lower case, and its neighbours; these are empty where the sentence or a clause ends."""

    word: str
    before: str
    """Past adverbs: `slowly read` stands where `read` would."""
    earlier: str
    """Before that."""
    next_to: str
    """Before, adverbs or not."""
    after: str
    words: Sequence[str]
    """The whole sentence."""


def place(words: Sequence[str], marks: Sequence[str], index: int) -> Place:
    """Where words[index] stands; `marks` are those after each word."""

    def at(position: int) -> str:
        return "" if position < 0 or marks[position] else words[position]

    before = index - 1
    while at(before) in ADVERBS or is_adverb(at(before)):
        before -= 1
    ends = bool(marks[index]) or index + 1 == len(words)
    return Place(
        word=words[index],
        before=at(before),
        earlier=at(before - 1) if at(before) else "",
        next_to=at(index - 1),
        after="" if ends else words[index + 1],
        words=words,
    )


def part(found: Place) -> str:
    """`verb`, `other`, or nothing where neither is sure."""
    score = _before(found) + _after(found)
    return "verb" if score >= _SURE else "other" if score <= -_SURE else ""


def is_adverb(word: str) -> bool:
    """Whether it is one by its ending."""
    return word.endswith("ly") and len(word) > 4


def is_plural(word: str) -> bool:
    """Whether it is most likely the plural of a noun."""
    return word in _PLURALS or (word.endswith("s") and not word.endswith(("ss", "us", "is")))


def _before(found: Place) -> float:
    """Evidence for a verb, of the words before."""
    before, earlier, with_s = found.before, found.earlier, found.word.endswith("s")
    if not before or before in ("and", "or", "but"):
        return 0
    if before == "to":
        return -2 if earlier in _BEFORE_PREPOSITION or with_s else 4
    if before in SUBJECTS_OF_S and with_s:
        return 3
    if before in MODALS or before in SUBJECTS:
        return -1 if with_s else 4
    if before in OBJECTS and earlier in _CAUSING:
        return 3
    if before == "that" and is_plural(earlier) and not with_s:
        return 3
    if before in ARTICLES or before in ("this", "that", "her") or before.endswith(("'s", "s'")):
        return -4
    if before in PREPOSITIONS or before in NUMBERS:
        return -3
    if before in DEGREES or before in BE or _ADJECTIVE.fullmatch(before):
        return -2
    if before in HAVE or is_plural(before) == with_s:
        return -1
    # "Metals contract", "the tents house"; what stands before -s may be an adjective, as in "strong winds".
    return 2 if is_plural(before) and (not earlier or earlier in ARTICLES) else 1


def _after(found: Place) -> float:
    """Evidence for a verb, of the word that follows."""
    after = found.after
    if not after:
        return -1
    if after in ARTICLES or after in OBJECTS:
        return 2 if found.before else 3
    if after in CLAUSES:
        return 1.5
    if after == "of" or after in BE or after in HAVE or after in MODALS:
        return -3
    if after in NUMBERS:
        return 1
    return 0.5 if is_adverb(after) else 0
