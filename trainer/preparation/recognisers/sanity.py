"""What of a network's words is believed: words lie where speech is, phrases do not turn in circles, and speech does not stay without words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trainer.audio.speech_detection import SAMPLE_RATE, WINDOW

_SPEECH = 0.5
"""Probability from which a window of 32 ms counts as speech."""
_SHORTEST_S = 0.2
"""Less speech than this in one stretch is a click or a breath."""
_PAUSE_S = 0.3
"""Shorter pauses do not part two stretches."""
_REACH_S = 0.2
"""So far from speech a word may lie: its times are only about right."""
_UNHEARD_S = 1.0
"""So much speech without a word is a stretch left out: the longest that a person says nothing with in a sentence is shorter."""
_LONGEST_WORD_S = 1.5
"""A word that seems to last longer hides others: the network leaves out a phrase that comes again."""
_FASTEST = 12.0
"""Words per second that nobody says: a phrase that repeats so fast was not spoken again."""
_PHRASE = 8
"""Words of the longest phrase that is watched for repetition."""
_SURE = 0.4
"""Mean confidence of words that are heard again before they are believed."""
_CIRCLES = 2.4
"""Compression ratio of a text above which it turns in circles."""
_UNSURE = -1.0
"""Mean log probability below which a segment is guessed."""
SETTINGS = (
    _SPEECH, _SHORTEST_S, _PAUSE_S, _REACH_S, _UNHEARD_S, _LONGEST_WORD_S, _FASTEST, _PHRASE, _SURE, _CIRCLES, _UNSURE,
)  # fmt: skip
"""Enters the identity of a recogniser that uses this."""
_WINDOW_S = WINDOW / SAMPLE_RATE


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A word as it is written, with its blank and marks, and where it lies."""

    written: str
    start_s: float
    end_s: float
    confidence: float


def stretches(speech: np.ndarray) -> list[tuple[float, float]]:
    """Where speech is, seconds, from a probability (windows,) for each 32 ms."""
    found: list[list[float]] = []
    for index in np.flatnonzero(speech >= _SPEECH):
        start = float(index) * _WINDOW_S
        if found and start - found[-1][1] <= _PAUSE_S:
            found[-1][1] = start + _WINDOW_S
        else:
            found.append([start, start + _WINDOW_S])
    return [(start, end) for start, end in found if end - start >= _SHORTEST_S]


def believed(tokens: Sequence[Token], speech: np.ndarray) -> tuple[list[Token], list[str]]:
    """The tokens that lie in speech and do not repeat a phrase faster than anybody speaks, and what was taken out."""
    places = stretches(speech)
    inside = [token for token in tokens if _near(token, places)]
    kept = _without_circles(inside)
    doubts = []
    if len(inside) < len(tokens):
        doubts.append(f"words without speech left out: {_shown([token for token in tokens if token not in inside])}")
    if len(kept) < len(inside):
        doubts.append(f"repetition left out: {_shown([token for token in inside if token not in kept])}")
    return kept, doubts


def not_believed(text: str, compression_ratio: float, mean_log_probability: float) -> str:
    """The doubt about a segment that turns in circles or is guessed; empty where it is believed."""
    if compression_ratio > _CIRCLES:
        return f"words that turn in circles left out: {_short(text)}"
    if mean_log_probability < _UNSURE:
        return f"guessed words left out: {_short(text)}"
    return ""


def unheard(tokens: Sequence[Token], speech: np.ndarray) -> list[tuple[float, float]]:
    """Parts of the stretches of speech, long enough to hold words, in which no token lies."""
    found = []
    for start, end in stretches(speech):
        place = start
        for token in [*sorted(tokens, key=lambda token: token.start_s), None]:
            until = end if token is None else min(token.start_s, end)
            if until - place >= _UNHEARD_S:
                found.append((place, until))
            if token is not None:
                place = max(place, min(token.end_s, token.start_s + _LONGEST_WORD_S))
    return found


def sure_between(tokens: Sequence[Token], start: float, end: float) -> list[Token]:
    """The tokens whose middle lies between two times, if they are sure on average."""
    found = [token for token in tokens if start <= (token.start_s + token.end_s) / 2 <= end]
    return found if found and sum(token.confidence for token in found) >= _SURE * len(found) else []


def _near(token: Token, places: Sequence[tuple[float, float]]) -> bool:
    return any(token.end_s >= start - _REACH_S and token.start_s <= end + _REACH_S for start, end in places)


def _without_circles(tokens: Sequence[Token]) -> list[Token]:
    """Each phrase that comes again at once and faster than anybody speaks is kept once."""
    kept = list(tokens)
    for length in range(1, _PHRASE + 1):
        place = 0
        while place + 2 * length <= len(kept):
            again = kept[place + length : place + 2 * length]
            if _same(kept[place : place + length], again) and _too_fast(again):
                del kept[place + length : place + 2 * length]
            else:
                place += 1
    return kept


def _same(one: Sequence[Token], other: Sequence[Token]) -> bool:
    return [_bare(token) for token in one] == [_bare(token) for token in other]


def _bare(token: Token) -> str:
    return "".join(letter for letter in token.written.casefold() if letter.isalnum())


def _too_fast(tokens: Sequence[Token]) -> bool:
    return len(tokens) > _FASTEST * (tokens[-1].end_s - tokens[0].start_s)


def _shown(tokens: Sequence[Token]) -> str:
    return _short("".join(token.written for token in tokens))


def _short(text: str) -> str:
    text = text.strip()
    return text if len(text) <= 40 else text[:40] + "…"
