"""Claims about setting recognised words against written ones."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.preparation.transcription import word_alignment
from trainer.preparation.transcription.word_alignment import Pair, pairs

_WORDS = st.lists(st.sampled_from(["the", "garden", "river", "of", "stone", "castle"]), max_size=12)


def test_equal_texts_pair_word_for_word():
    words = "in the beginning there was a great river of stone".split()
    assert pairs(words, words) == [Pair(index, index, True) for index in range(len(words))]


def test_a_misheard_word_stands_for_the_written_one():
    assert pairs("a mobile letter press".split(), "a movable letter press".split())[1] == Pair(1, 1, False)


def test_words_that_were_not_spoken_are_skipped():
    heard = "river castle stone".split()
    found = pairs(heard, "river (some words that nobody said at all) castle stone".split())
    assert [pair.written for pair in found if pair.equal] == [0, 8, 9]


def test_a_stretch_is_found_in_a_long_text():
    text = [f"word{number}" for number in range(500)]
    assert pairs(text[300:310], text) == [Pair(index, 300 + index, True) for index in range(10)]


@settings(max_examples=60, deadline=None)
@given(_WORDS, _WORDS)
def test_pairs_ascend_on_both_sides(heard: list[str], written: list[str]):
    found = pairs(heard, written)
    assert all(one.heard < other.heard and one.written < other.written for one, other in pairwise(found))
    assert all(pair.equal == (heard[pair.heard] == written[pair.written]) for pair in found)


@settings(max_examples=30, deadline=None)
@given(_WORDS, _WORDS)
def test_the_way_that_saves_memory_finds_as_good_an_alignment(heard: list[str], written: list[str]):
    with pytest.MonkeyPatch.context() as patch:
        whole = _value(pairs(heard, written), heard, written)
        patch.setattr(word_alignment, "_MAX_CELLS", 4)
        assert _value(pairs(heard, written), heard, written) == pytest.approx(whole, abs=1e-3)


def _value(found: list[Pair], heard: list[str], written: list[str]) -> float:
    gained = sum((2.0 if len(heard[pair.heard]) > 3 else 0.6) if pair.equal else -0.7 for pair in found)
    return gained - 0.6 * (len(heard) + len(written) - 2 * len(found))
