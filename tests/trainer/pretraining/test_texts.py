"""Claims about the sentences that synthetic voices speak."""

from __future__ import annotations

from itertools import islice

import pytest

from trainer.pretraining.texts import (
    MAX_WORDS,
    MIN_WORDS,
    Sentence,
    pronunciations,
    sentences,
)
from trainer.text.phone_set import MARKS, VOWELS, without_stress

pytestmark = pytest.mark.long

pytest.importorskip("pocketsphinx")


@pytest.fixture(scope="module")
def made() -> list[Sentence]:
    return list(islice(sentences([0, 1]), 60))


def test_the_same_seed_gives_the_same_sentences_and_another_seed_others(made: list[Sentence]):
    assert list(islice(sentences([0, 1]), 5)) == made[:5] != list(islice(sentences([0, 2]), 5))


def test_every_word_has_a_pronunciation_and_every_sentence_an_end(made: list[Sentence]):
    for sentence in made:
        assert MIN_WORDS <= len(sentence.words) <= MAX_WORDS
        assert all(word in pronunciations() for word in sentence.words)
        assert sentence.marks[-1] in (".", "?", "!") and all(mark in ("", *MARKS) for mark in sentence.marks)


def test_there_are_statements_questions_exclamations_and_commas(made: list[Sentence]):
    assert {sentence.marks[-1] for sentence in made} == {".", "?", "!"}
    assert any("," in sentence.marks for sentence in made)


def test_every_phone_is_spoken(made: list[Sentence]):
    spoken = {
        without_stress(phone) for sentence in made for word in sentence.words for phone in pronunciations()[word][0]
    }
    assert len(spoken) == 39 and set(VOWELS) < spoken
