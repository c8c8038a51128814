"""The characters that the rest of the front end knows: Latin letters without accents, digits, and a fixed set of signs.

Everything else is mapped to those (accents, typographic signs, full-width forms) or left out and named in a warning.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache

from trainer.text import foreign_numbers
from trainer.text.markup import without_markup
from trainer.text.tables import table

_SIGNS = frozenset("\n !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~¢£¥€₹°±×÷²³—–…√≈≤≥")
_MOST_NAMED = 6

_REPLACED = {
    **dict.fromkeys("‘’‛′´ʼʻ＇", "'"),
    **dict.fromkeys("“”„‟″«»‹›「」『』", '"'),
    **dict.fromkeys("‐‑⁃﹣－", "-"),
    **dict.fromkeys("‒–", "–"),
    **dict.fromkeys("—―⸺", "—"),
    **dict.fromkeys("\r\v\f\x85\u2028\u2029", "\n"),
    **dict.fromkeys("。｡", ". "),
    **dict.fromkeys("、，؛،", ", "),
    **dict.fromkeys("•‣▪●◦·", "—"),
    **dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff\ufe0e\ufe0f¿¡", ""),
    **table("characters")["replaced"],
}
_GREEK = dict(
    zip(
        "αβγδεζηθικλμνξοπρςστυφχψω",
        (
            "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma sigma tau upsilon phi chi psi omega"
        ).split(),
        strict=True,
    )
)
_THIN_SPACE_IN_NUMBER = re.compile("(?<=\\d)[\u00a0\u2009\u202f](?=\\d{3}(?!\\d))")
_GREEK_LETTER = re.compile(r"(?<![Ͱ-Ͽ])[Δα-ω](?![Ͱ-Ͽ])")
_FRACTION = re.compile(r"(\d?)([¼-¾⅐-⅞])")
_MICRO = re.compile(r"[μµ](?=(?:m|s|g|l|L|A|V|F)\b)")


def clean(text: str) -> tuple[str, tuple[str, ...]]:
    """(the text in known characters, warnings): at most one warning, which names what was left out."""
    text = _THIN_SPACE_IN_NUMBER.sub("", without_markup(text.replace("\r\n", "\n")))
    text = foreign_numbers.rewritten(text)
    text = _FRACTION.sub(_written_fraction, _MICRO.sub("u", text)).replace("µ", "μ")
    text = _GREEK_LETTER.sub(lambda match: f" {_GREEK[match[0].lower()]} ", text)
    dropped: Counter[str] = Counter()
    cleaned = []
    for character in text:
        known = _known(character)
        if known is None:
            dropped[character] += 1
            cleaned.append(" ")
        else:
            cleaned.append(known)
    return "".join(cleaned), (_warning(dropped),) if dropped else ()


@lru_cache(maxsize=4096)
def _known(character: str) -> str | None:
    """What stands for one character, or None if nothing does."""
    if character in _SIGNS or (character.isascii() and character.isalnum()):
        return character
    if character in _REPLACED:
        return _REPLACED[character]
    if unicodedata.category(character) == "Zs":
        return " "
    if unicodedata.category(character) == "Mn":
        return "" if "\u0300" <= character <= "\u036f" else None
    plain = "".join(
        _REPLACED.get(part, part)
        for part in unicodedata.normalize("NFKD", character)
        if not unicodedata.combining(part)
    )
    if plain and plain != character and all(part in _SIGNS or (part.isascii() and part.isalnum()) for part in plain):
        return plain
    return None


def _written_fraction(match: re.Match[str]) -> str:
    top, _, bottom = unicodedata.normalize("NFKC", match[2]).partition("⁄")
    return f"{match[1]} {top}/{bottom}"


def _warning(dropped: Counter[str]) -> str:
    names = [
        _name(character) + (f" ({count} times)" if count > 1 else "")
        for character, count in dropped.most_common(_MOST_NAMED)
    ]
    more = f" and {len(dropped) - _MOST_NAMED} more" if len(dropped) > _MOST_NAMED else ""
    return f"left out what cannot be spoken: {', '.join(names)}{more}"


def _name(character: str) -> str:
    kind = unicodedata.category(character)
    if kind == "Cc":
        return f"control character U+{ord(character):04X}"
    return unicodedata.name(character, f"U+{ord(character):04X}")
