"""The symbols of the natural voices: the misaki alphabet of Kokoro-82M, with punctuation; each one's number is part of the weights."""

from __future__ import annotations

import numpy as np

_FROM = {
    1: ";:,.!?",
    9: '—…"()“” ̃ʣʥʦʨᵝꭧAI',
    31: "O",
    33: "Q",
    35: "ST",
    39: "W",
    41: "Yᵊabcdef",
    50: "hijklmnopqrstuvwxyzɑɐɒæ",
    75: "βɔɕç",
    80: "ɖðʤə",
    85: "ɚɛɜ",
    90: "ɟ",
    92: "ɡ",
    99: "ɥ",
    101: "ɨɪʝ",
    110: "ɯɰŋɳɲɴø",
    118: "ɸθœ",
    123: "ɹ",
    125: "ɾɻ",
    128: "ʁɽʂʃʈʧ",
    135: "ʊʋ",
    138: "ʌɣɤ",
    142: "χʎ",
    147: "ʒʔ",
    156: "ˈˌː",
    162: "ʰ",
    164: "ʲ",
    169: "↓",
    171: "→↗↘",
    177: "ᵻ",
}
"""Characters with consecutive numbers, by the number of the first."""
ID = {character: first + place for first, run in _FROM.items() for place, character in enumerate(run)}
EDGE = 0
"""Stands at both ends of a sentence; it is spoken as the quiet around it."""
SIZE = 178

MARKS = ";:,.!?—…"
VOWELS = "AIOQWYaeiouyɐɑɒæɔəɚɛɜɤɨɪɯʊʌᵊᵻø"


def _mask(characters: str, *numbers: int) -> np.ndarray:
    mask = np.zeros(SIZE, dtype=bool)
    mask[[*(ID[character] for character in characters), *numbers]] = True
    return mask


IS_PAUSE = _mask(MARKS + '"()“”', EDGE)
IS_VOWEL = _mask(VOWELS)
"""(SIZE,) each, by number."""


def ids(phonemes: str) -> np.ndarray:
    """The numbers of what is spoken, between two edges: (P,) int64; raises ValueError for a character that is no symbol."""
    unknown = next((one for one in phonemes if one not in ID), None)
    if unknown is not None:
        word = next(word for word in phonemes.split(" ") if unknown in word)
        raise ValueError(f"{unknown!r} in {word!r} is no symbol of the natural voices; they know {''.join(ID)}")
    return np.array([EDGE, *(ID[one] for one in phonemes), EDGE], dtype=np.int64)
