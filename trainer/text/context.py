"""Which pronunciation of a word comes first, by the words around it: articles before vowels, and words that are verb or noun."""

from __future__ import annotations

from collections.abc import Sequence

from trainer.text.words import Pronunciation

Variants = tuple[Pronunciation, ...]

_BEFORE_VERB = frozenset(
    "to will would shall should can could may might must not cannot can't won't don't doesn't didn't wouldn't couldn't shouldn't let's please"
    " i we you they i'll we'll you'll he'll she'll they'll i'd we'd you'd they'd who never always".split(" ")
)
_BEFORE_NOUN = frozenset(
    "the a an this that these those my your his her its our their no any some every each one of in on for with from by much".split(
        " "
    )
)
_BEFORE_PARTICIPLE = frozenset(
    "have has had having i've you've we've they've he's she's was were been be being is are never already just well".split(
        " "
    )
)
_SUBJECTS = frozenset("i we you they who".split(" "))
_PAST = frozenset("yesterday ago once then earlier last".split(" "))

_VERB_AND_NOUN = {
    "record": ("R AH0 K AO1 R D", "R EH1 K ER0 D"),
    "records": ("R AH0 K AO1 R D Z", "R EH1 K ER0 D Z"),
    "present": ("P R IY0 Z EH1 N T", "P R EH1 Z AH0 N T"),
    "presents": ("P R IY0 Z EH1 N T S", "P R EH1 Z AH0 N T S"),
    "object": ("AH0 B JH EH1 K T", "AA1 B JH EH0 K T"),
    "objects": ("AH0 B JH EH1 K T S", "AA1 B JH EH0 K T S"),
    "project": ("P R AH0 JH EH1 K T", "P R AA1 JH EH0 K T"),
    "produce": ("P R AH0 D UW1 S", "P R OW1 D UW0 S"),
    "permit": ("P ER0 M IH1 T", "P ER1 M IH2 T"),
    "conduct": ("K AH0 N D AH1 K T", "K AA1 N D AH0 K T"),
    "contract": ("K AH0 N T R AE1 K T", "K AA1 N T R AE2 K T"),
    "contrast": ("K AH0 N T R AE1 S T", "K AA1 N T R AE0 S T"),
    "desert": ("D IH0 Z ER1 T", "D EH1 Z ER0 T"),
    "increase": ("IH0 N K R IY1 S", "IH1 N K R IY2 S"),
    "decrease": ("D IH0 K R IY1 S", "D IY1 K R IY2 S"),
    "refuse": ("R AH0 F Y UW1 Z", "R EH1 F Y UW2 Z"),
    "subject": ("S AH0 B JH EH1 K T", "S AH1 B JH IH0 K T"),
    "conflict": ("K AH0 N F L IH1 K T", "K AA1 N F L IH0 K T"),
    "contest": ("K AH0 N T EH1 S T", "K AA1 N T EH0 S T"),
    "export": ("IH0 K S P AO1 R T", "EH1 K S P AO0 R T"),
    "import": ("IH0 M P AO1 R T", "IH1 M P AO2 R T"),
    "insult": ("IH0 N S AH1 L T", "IH1 N S AH2 L T"),
    "rebel": ("R IH0 B EH1 L", "R EH1 B AH0 L"),
    "suspect": ("S AH0 S P EH1 K T", "S AH1 S P EH2 K T"),
    "transport": ("T R AE0 N S P AO1 R T", "T R AE1 N S P AO2 R T"),
    "progress": ("P R AH0 G R EH1 S", "P R AA1 G R EH2 S"),
    "protest": ("P R AH0 T EH1 S T", "P R OW1 T EH2 S T"),
    "convict": ("K AH0 N V IH1 K T", "K AA1 N V IH0 K T"),
    "use": ("Y UW1 Z", "Y UW1 S"),
    "abuse": ("AH0 B Y UW1 Z", "AH0 B Y UW1 S"),
    "excuse": ("IH0 K S K Y UW1 Z", "IH0 K S K Y UW1 S"),
    "house": ("HH AW1 Z", "HH AW1 S"),
    "live": ("L IH1 V", "L AY1 V"),
    "close": ("K L OW1 Z", "K L OW1 S"),
    "lives": ("L IH1 V Z", "L AY1 V Z"),
    "wind": ("W AY1 N D", "W IH1 N D"),
    "tear": ("T EH1 R", "T IH1 R"),
    "separate": ("S EH1 P ER0 EY2 T", "S EH1 P ER0 IH0 T"),
    "estimate": ("EH1 S T AH0 M EY2 T", "EH1 S T AH0 M AH0 T"),
    "graduate": ("G R AE1 JH AH0 W EY2 T", "G R AE1 JH AH0 W AH0 T"),
    "alternate": ("AO1 L T ER0 N EY2 T", "AO1 L T ER0 N AH0 T"),
    "moderate": ("M AA1 D ER0 EY2 T", "M AA1 D ER0 AH0 T"),
    "appropriate": ("AH0 P R OW1 P R IY0 EY2 T", "AH0 P R OW1 P R IY0 AH0 T"),
    "deliberate": ("D IH0 L IH1 B ER0 EY2 T", "D IH0 L IH1 B ER0 AH0 T"),
    "advocate": ("AE1 D V AH0 K EY2 T", "AE1 D V AH0 K AH0 T"),
    "resume": ("R IH0 Z UW1 M", "R EH1 Z AH0 M EY2"),
    "resumes": ("R IH0 Z UW1 M Z", "R EH1 Z AH0 M EY2 Z"),
    "duplicate": ("D UW1 P L AH0 K EY2 T", "D UW1 P L AH0 K AH0 T"),
}
"""(as a verb, as a noun or adjective)"""
_VERB_BY_DEFAULT = frozenset({"live", "use", "produce", "refuse", "lives", "close"})

_LEAD_METAL = frozenset("pipe pipes paint poisoning pencil shot bullet bullets ore mine roof roofs type".split(" "))
_LIVE_ADJECTIVE = frozenset(
    "music show shows broadcast concert wire wires stream audience tv video ammunition bait performance".split(" ")
)
_CLOSE_ADJECTIVE = frozenset(
    "to by friend friends enough together call range relatives at attention quarters".split(" ")
)
_BEFORE_CLOSE_ADJECTIVE = frozenset("very so too as is was are were been come came getting quite stood keep".split(" "))


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
