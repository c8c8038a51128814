"""Claims about the aligner on made-up observations: its models sound as the test says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.models.aligner import Aligner, AlignmentError
from trainer.models.aligner.align import align_observed, confidence
from trainer.models.aligner.model import STATES, phone_index
from trainer.models.aligner.observations import DIMENSIONS
from trainer.text.phone_set import CONSONANTS, MARKS, PAUSES, SILENCE, VOWELS
from trainer.text.words import Word


def _clear_voice(seed: int = 0) -> Aligner:
    """Every state has a mean of its own, far from the others."""
    rng = np.random.default_rng(seed)
    return Aligner(
        means=(4.0 * rng.standard_normal((STATES, 1, DIMENSIONS))).astype(np.float32),
        variances=np.ones((STATES, 1, DIMENSIONS), np.float32),
        weights=np.ones((STATES, 1), np.float32),
        stay=np.full(STATES, 0.7, np.float32),
    )


def _spoken(aligner: Aligner, labels: list[tuple[str, int]], seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    states = []
    for symbol, frames in labels:
        states += [2 * phone_index(symbol) + (frame >= frames // 2) for frame in range(frames)]
    return (aligner.means[states, 0] + 0.3 * rng.standard_normal((len(states), DIMENSIONS))).astype(np.float32)


VOICE = _clear_voice()
BOB = Word("bob", (("B", "AA1", "B"),), "")
SEES = Word("sees", (("S", "IY1", "Z"),), ",")
READ = Word("read", (("R", "IY1", "D"), ("R", "EH1", "D")), ".")


def test_every_phone_is_found_where_it_was_spoken():
    spoken = [
        ("SIL", 9),
        ("B", 4),
        ("AA", 8),
        ("B", 5),
        ("S", 7),
        ("IY", 6),
        ("Z", 4),
        ("SIL", 12),
        ("R", 5),
        ("IY", 9),
        ("D", 3),
        ("SIL", 8),
    ]
    found = align_observed(_spoken(VOICE, spoken), [BOB, SEES, READ], VOICE)
    assert found.symbols == ("SIL", "B", "AA1", "B", "S", "IY1", "Z", ",", "R", "IY1", "D", ".")
    assert found.frames == tuple(frames for _, frames in spoken)
    assert [symbol for symbol, first in zip(found.symbols, found.word_starts, strict=True) if first] == ["B", "S", "R"]


def test_the_pronunciation_that_was_spoken_is_chosen():
    spoken = [("SIL", 5), ("R", 5), ("EH", 9), ("D", 5), ("SIL", 5)]
    assert "EH1" in align_observed(_spoken(VOICE, spoken), [READ], VOICE).symbols


def test_a_pause_without_a_mark_becomes_silence_and_a_mark_without_a_pause_lasts_no_time():
    spoken = [
        ("SIL", 5),
        ("B", 4),
        ("AA", 6),
        ("B", 4),
        ("SIL", 10),
        ("S", 5),
        ("IY", 6),
        ("Z", 5),
        ("R", 5),
        ("IY", 6),
        ("D", 5),
        ("SIL", 5),
    ]
    found = align_observed(_spoken(VOICE, spoken), [BOB, SEES, READ], VOICE)
    assert found.symbols[4] == SILENCE and found.frames[4] == 10
    assert found.frames[found.symbols.index(",")] == 0


def test_a_wrong_word_lowers_the_score():
    spoken = _spoken(VOICE, [("SIL", 6), ("B", 5), ("AA", 8), ("B", 5), ("SIL", 6)])
    right = align_observed(spoken, [BOB], VOICE)
    wrong = align_observed(spoken, [READ], VOICE)
    assert right.score > wrong.score and right.confidence > 0.9 > 0.1 > wrong.confidence


def test_confidence_rises_with_the_score_and_stays_between_0_and_1():
    values = [confidence(score) for score in (-1e9, -5.0, -3.0, -1.0, 1e9)]
    assert values == sorted(values) and min(values) >= 0.0 and max(values) <= 1.0


@pytest.mark.parametrize(
    ("words", "frames", "cause"), [([], 50, "alignment_empty"), ([BOB, SEES, READ], 12, "alignment_too_short")]
)
def test_what_cannot_be_aligned_says_why(words: list[Word], frames: int, cause: str):
    with pytest.raises(AlignmentError) as caught:
        align_observed(np.zeros((frames, DIMENSIONS), np.float32), words, VOICE)
    assert caught.value.cause == cause


_PHONES = st.sampled_from([*CONSONANTS, *(vowel + "1" for vowel in VOWELS)])
_WORDS = st.builds(
    Word,
    st.just("word"),
    st.lists(st.lists(_PHONES, min_size=1, max_size=4).map(tuple), min_size=1, max_size=3).map(tuple),
    st.sampled_from(["", "", "", *MARKS]),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(_WORDS, min_size=1, max_size=6), st.integers(0, 200), st.integers(0, 2**16))
def test_frames_add_up_and_every_word_is_there_in_order(words: list[Word], extra: int, seed: int):
    shortest = 2 + 2 * sum(max(len(phones) for phones in word.pronunciations) for word in words)
    observed = np.random.default_rng(seed).standard_normal((shortest + extra, DIMENSIONS)).astype(np.float32)
    found = align_observed(observed, words, VOICE)
    assert sum(found.frames) == len(observed)
    assert all(frames > 0 for symbol, frames in zip(found.symbols, found.frames, strict=True) if symbol not in MARKS)
    assert found.symbols[0] == SILENCE and sum(found.word_starts) == len(words)
    said: list[list[str]] = []
    for symbol, first in zip(found.symbols, found.word_starts, strict=True):
        if first:
            said.append([])
        if symbol not in PAUSES:
            said[-1].append(symbol)
    assert words and all(tuple(phones) in word.pronunciations for phones, word in zip(said, words, strict=True))
    assert [symbol for symbol in found.symbols if symbol in MARKS] == [word.mark for word in words if word.mark]
