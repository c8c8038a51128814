"""Phones of the ARPAbet as symbols of the misaki alphabet, as its American dictionary writes them.

The dictionary marks what the ARPAbet leaves open: the flap (T) of "water", the weak vowels of "abandoned" and "added".
"""

from __future__ import annotations

import re
from functools import lru_cache

from trainer.text.phone_set import CONSONANTS, VOWELS, without_stress
from trainer.text.words import Pronunciation

_SYMBOL = dict(
    zip(
        (*VOWELS, *CONSONANTS),
        "ɑ æ ʌ ɔ W I ɛ ɜɹ A ɪ i O Y ʊ u b ʧ d ð f ɡ h ʤ k l m n ŋ p ɹ s ʃ t θ v w j z ʒ".split(),
        strict=True,
    )
)
_STRESS = {"0": "", "1": "ˈ", "2": "ˌ"}
_WEAK = {"AH0": "ə", "ER0": "əɹ"}
_VOWEL = "AIOWYiuæɑɔəɛɜɪʊʌᵻ"
_CONSONANT = "bdfhjklmnpstvwzðŋɡɹʃʒʤʧθ"
_AS_WRITTEN = tuple(
    (re.compile(pattern), said)
    for pattern, said in (
        (r"ˈ(?=.*ˈ)", "ˌ"),
        (r"(?<=.)ˌ(?=[iO]$)", ""),
        (rf"^ˌ(?=ɪ[nm][{_CONSONANT}]*ˈ)", ""),
        (r"(?<=[td])[ɪə]d$", "ᵻd"),
        (r"(?<=[szʃʒʤʧ])[ɪə]z$", "ᵻz"),
        (rf"(?<=[{_CONSONANT}])ɪ(?![ŋʃʤ]|[kv]$|st|ks$)", "ə"),
        (r"iɹ", "ɪɹ"),
        (rf"Iɹ(?![{_VOWEL}ˈˌ])", "Iəɹ"),
        (rf"(?<=[{_CONSONANT}])u(?=[ˈˌ]?[{_VOWEL}])", "əw"),
        (rf"(?<=[{_VOWEL}])tən(?![{_VOWEL}])", "tᵊn"),
        (rf"(?<=[{_VOWEL}ɹ])t(?=[əɪiᵻO])", "T"),
        (r"(?<=[bdfkmnpstvzðŋɡʃʒʤʧθT])ə(?=l(?![ˈˌ]))", "ᵊ"),
        (rf"(?<=[dszʒʤT])ə(?=n[{_CONSONANT}]|n$)", "ᵊ"),
    )
)


@lru_cache(maxsize=4096)
def symbols(phones: Pronunciation) -> str:
    """What is said for the phones of one word."""
    said = "".join(_WEAK.get(phone) or _STRESS.get(phone[-1], "") + _SYMBOL[without_stress(phone)] for phone in phones)
    for pattern, written in _AS_WRITTEN:
        said = pattern.sub(written, said)
    return said
