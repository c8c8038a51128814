"""The fixed sentences: ours, unseen, sayable, and known to the recogniser."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer.evaluation.intelligibility import spoken_words
from trainer.files import packaged_file
from trainer.synthesis.sentences import LISTENING, SENTENCES
from trainer.teachers import demo_sentences
from trainer.text import analyse
from trainer.text.phone_set import CONSONANTS, VOWELS, without_stress

METADATA = Path(__file__).parents[4] / "shared" / "voices" / "lj" / "metadata.csv"


def test_there_are_forty_different_sentences_and_three_to_listen_to() -> None:
    assert len(set(SENTENCES)) == 40 and len(set(LISTENING)) == 3
    assert not set(SENTENCES) & set(LISTENING)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_sentence_has_six_to_fourteen_words_and_is_one_sentence(sentence: str) -> None:
    assert 6 <= len(spoken_words(sentence)) <= 14
    assert len(analyse(sentence).sentences) == 1 and not analyse(sentence).warnings


def test_recogniser_knows_every_word() -> None:
    dictionary = packaged_file.find("pocketsphinx", "model/en-us/cmudict-en-us.dict")
    known = {line.split()[0] for line in dictionary.read_text(encoding="utf-8").splitlines() if line}
    assert not {word for sentence in SENTENCES for word in spoken_words(sentence)} - known


def test_every_phoneme_is_spoken_at_least_three_times() -> None:
    spoken = [
        without_stress(phone)
        for sentence in SENTENCES
        for part in analyse(sentence).sentences
        for word in part.words
        for phone in word.pronunciations[0]
    ]
    assert not [phone for phone in (*CONSONANTS, *VOWELS) if spoken.count(phone) < 3]


def test_no_sentence_is_in_the_demonstration_recording() -> None:
    trained = {spoken_words(sentence) for sentence in demo_sentences.SENTENCES}
    assert not trained & {spoken_words(sentence) for sentence in (*SENTENCES, *LISTENING)}


@pytest.mark.skipif(not METADATA.is_file(), reason="no human speech in ../shared/voices")
def test_no_sentence_is_in_the_human_recording() -> None:
    recorded = " ".join(METADATA.read_text(encoding="utf-8").lower().split())
    assert not [sentence for sentence in SENTENCES if " ".join(spoken_words(sentence)) in recorded]
