"""Word errors: bounds of the distances, and a recogniser without memory."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainer.evaluation.spoken import Clip
from trainer.errors import RuntimeSetupError
from trainer.evaluation import intelligibility, voices
from trainer.preparation import recognisers
from trainer.preparation.recognisers import pocketsphinx
from trainer.synthesis.sentences import SENTENCES

HUMAN = Path(__file__).parents[4] / "shared" / "voices" / "lj" / "clips" / "LJ001-0008.flac"
VOCABULARY = ("the", "train", "leaves", "from", "platform", "four", "in", "ten", "minutes", "don't", "sea", "see")
words = st.lists(st.sampled_from(VOCABULARY), max_size=12)


@settings(deadline=None)
@given(meant=words.filter(bool), heard=words)
def test_edits_lie_between_the_difference_of_the_lengths_and_the_longer_length(
    meant: list[str], heard: list[str]
) -> None:
    found = intelligibility.word_edits(meant, heard)
    assert abs(len(meant) - len(heard)) <= found <= max(len(meant), len(heard))


@settings(deadline=None)
@given(meant=words.filter(bool))
def test_what_was_meant_has_no_errors_and_nothing_heard_has_all(meant: list[str]) -> None:
    assert intelligibility.word_edits(meant, meant) == 0 and intelligibility.word_edits(meant, []) == len(meant)


def test_text_becomes_words_as_the_recogniser_writes_them() -> None:
    expected = ("don't", "stop", "the", "train", "leaves", "at", "ten")
    assert intelligibility.spoken_words("Don’t stop! The train leaves at 10.") == expected


def test_recognition_does_not_depend_on_what_was_recognised_before(clips: list[Clip], noise: np.ndarray) -> None:
    first = intelligibility.recognise(clips[0].wave)
    intelligibility.recognise(noise)
    assert first and intelligibility.recognise(clips[0].wave) == first


def test_silence_says_nothing() -> None:
    assert intelligibility.recognise(np.zeros(11_025, np.float32)) == ()


@pytest.mark.skipif(not shutil.which("flite"), reason="flite is not installed")
def test_a_clear_machine_voice_is_understood() -> None:
    heard = intelligibility.recognise(*voices.programs()["flite rms"](SENTENCES[0]))
    assert intelligibility.word_edits(intelligibility.spoken_words(SENTENCES[0]), heard) <= 1


@pytest.mark.skipif(not HUMAN.is_file(), reason="no human speech in ../shared/voices")
def test_a_person_is_understood() -> None:
    heard = intelligibility.recognise(*soundfile.read(HUMAN, dtype="float32"))
    assert heard == intelligibility.spoken_words("has never been surpassed.")


def test_another_model_than_the_pinned_one_is_refused(monkeypatch: pytest.MonkeyPatch, noise: np.ndarray) -> None:
    monkeypatch.setattr(pocketsphinx, "MODEL_SHA256", "0" * 64)
    pocketsphinx.model_folder.cache_clear()
    recognisers._pocketsphinx_scoring.cache_clear()
    with pytest.raises(RuntimeSetupError) as caught:
        intelligibility.recognise(noise)
    assert caught.value.cause == "weights_corrupt"
