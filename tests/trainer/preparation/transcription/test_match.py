"""Claims about matching a text to utterances: on a human reader where the development recordings are there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from trainer.audio.features import SAMPLE_RATE
from trainer.errors import DataError
from trainer.models.aligner import Aligner, load_aligner
from trainer.preparation.prepare_settings import PrepareSettings
from trainer.preparation.transcription.match import (
    NOT_IN_TEXT,
    NOT_SPOKEN,
    Matched,
    match_heard,
    require_english,
    warnings,
    written,
)
from trainer.preparation.transcription.recognise import Heard, recognise
from trainer.teachers.demo_recording import perform
from trainer.teachers.demo_sentences import SENTENCES
from trainer.text import TextError, Word, analyse
from trainer.voice import shipped_files

pytestmark = pytest.mark.long

SHIPPED = shipped_files.FOLDER / shipped_files.ALIGNER
LJ = Path(__file__).parents[5] / "shared" / "voices" / "lj"
CLIPS = slice(1, 7)
SETTINGS = PrepareSettings()
HEARD = (
    "him being comparatively mater",
    "or although the chinese to the impressions from wood blocks engraved in relief for centuries before the wood cutters of the netherlands by",
    "reduced the block looks which were the immediate predecessors of the true printed book",
    "the invention of mobile meth or letters in the middle of the fifteenth century may justly be considered as the invention of the art",
    "and it is worth mentioning passing that as an example of buying type i'm christie",
    "the earliest book printed with multiple types he got a burger or forty two line bible",
)
"""What the recogniser makes of the six clips, roughly; so that most tests need not wait for it."""
OTHER = "And the earth was without form, and void; and darkness was upon the face of the deep. " * 3

_on_reader = pytest.mark.skipif(
    not (LJ.is_dir() and SHIPPED.exists()), reason="the development recordings or the base weights are not there"
)


@pytest.fixture(scope="module")
def aligner() -> Aligner:
    return load_aligner(SHIPPED)


@pytest.fixture(scope="module")
def waves() -> list[np.ndarray]:
    return [soundfile.read(LJ / "clips" / f"{name}.flac", dtype="float32")[0] for name, _ in _rows()]


def _rows() -> list[list[str]]:
    return [line.split("|") for line in (LJ / "metadata.csv").read_text("utf-8").splitlines()[CLIPS]]


def _plain(transcript: str) -> list[str]:
    return [word.text for sentence in analyse(transcript).sentences for word in sentence.words]


@_on_reader
def test_every_utterance_gets_its_stretch_of_the_text(waves: list[np.ndarray], aligner: Aligner):
    text = " ".join(said for _, said in _rows())
    matched = match_heard(text, waves, [Heard(text=said) for said in HEARD], aligner, SETTINGS)
    assert [_plain(one.transcript) for one in matched] == [_plain(said) for _, said in _rows()]
    assert min(one.confidence for one in matched) > 0.9 and not warnings(matched, waves, SETTINGS)


@_on_reader
def test_what_half_a_transcript_lacks_is_dropped_with_a_reason_and_a_warning(waves: list[np.ndarray], aligner: Aligner):
    text = " ".join(said for _, said in _rows()[:3])
    matched = match_heard(text, waves, [Heard(text=said) for said in HEARD], aligner, SETTINGS)
    assert [_plain(one.transcript) for one in matched[:3]] == [_plain(said) for _, said in _rows()[:3]]
    assert [one.reason for one in matched[3:]] == [NOT_IN_TEXT] * 3
    (warning,) = warnings(matched, waves, SETTINGS)
    assert "seems to end early" in warning


@_on_reader
def test_text_around_what_was_spoken_does_no_harm(waves: list[np.ndarray], aligner: Aligner):
    text = OTHER + " ".join(said for _, said in _rows()) + " " + OTHER
    matched = match_heard(text, waves, [Heard(text=said) for said in HEARD], aligner, SETTINGS)
    assert [_plain(one.transcript) for one in matched] == [_plain(said) for _, said in _rows()]


SKIPPED = "the committee should receive a copy of the minutes before the next meeting in order to prepare questions"


@_on_reader
@pytest.mark.parametrize("count", [4, 8, 18])
def test_an_utterance_whose_text_has_words_that_nobody_says_is_left_out_and_named(
    waves: list[np.ndarray], aligner: Aligner, count: int
):
    said = [text for _, text in _rows()]
    words, inserted = said[3].split(), SKIPPED.split()[:count]
    text = " ".join([*said[:3], *words[:11], *inserted, *words[11:], *said[4:]])
    matched = match_heard(text, waves, [Heard(text=each) for each in HEARD], aligner, SETTINGS)
    assert (matched[3].transcript, matched[3].reason) == ("", NOT_SPOKEN)
    assert {*matched[3].unspoken} <= {*inserted} and len(matched[3].unspoken) > count / 2
    assert [_plain(one.transcript) for one in matched if one.transcript] == [
        _plain(each) for each in [*said[:3], *said[4:]]
    ]
    assert "their text has words that nobody says" in warnings(matched, waves, SETTINGS)[0]


@_on_reader
@pytest.mark.parametrize("count", [4, 18])
def test_words_between_utterances_that_nobody_says_are_cut_off(waves: list[np.ndarray], aligner: Aligner, count: int):
    said = [text for _, text in _rows()]
    inserted = SKIPPED.split()[:count]
    matched = match_heard(
        " ".join([*said[:3], *inserted, *said[3:]]), waves, [Heard(text=each) for each in HEARD], aligner, SETTINGS
    )
    assert [_plain(one.transcript) for one in matched] == [_plain(each) for each in said]


def test_rendered_speech_shows_words_that_nobody_says(aligner: Aligner):
    said = [" ".join(_plain(sentence)) for sentence in SENTENCES[:3]]
    waves = [_rendered(sentence) for sentence in SENTENCES[:3]]
    heard, words = [Heard(text=each) for each in said], said[1].split()
    right = match_heard(" ".join(said), waves, heard, aligner, SETTINGS)
    assert [_plain(one.transcript) for one in right] == [each.split() for each in said]
    half = len(words) // 2
    wrong = " ".join([said[0], *words[:half], *SKIPPED.split()[:8], *words[half:], said[2]])
    matched = match_heard(wrong, waves, heard, aligner, SETTINGS)
    assert [bool(one.transcript) for one in matched] == [True, False, True]
    assert matched[1].reason == NOT_SPOKEN


def _rendered(sentence: str) -> np.ndarray:
    samples, rate = perform((sentence,))
    return soxr.resample(np.asarray(samples, dtype=np.float32), rate, SAMPLE_RATE)


@_on_reader
def test_a_transcript_of_another_recording_is_refused(waves: list[np.ndarray], aligner: Aligner):
    with pytest.raises(DataError) as caught:
        match_heard(OTHER, waves, [Heard(text=said) for said in HEARD], aligner, SETTINGS)
    assert caught.value.cause == "transcript_mismatch"


@_on_reader
def test_recognition_is_the_same_in_one_process_and_in_two_and_close_to_what_is_said(waves: list[np.ndarray]):
    pytest.importorskip("pocketsphinx")
    short = [waves[0], waves[5][:60_000]]
    alone = recognise(short)
    assert recognise(short[::-1], processes=2) == alone[::-1]
    assert "comparatively" in alone[0].text and "book" in alone[1].text


@_on_reader
def test_what_was_heard_before_changes_no_word(waves: list[np.ndarray]):
    noise = (0.1 * np.random.default_rng(0).standard_normal(66_150)).astype(np.float32)
    assert recognise([noise, waves[0]])[1] == recognise([waves[0]])[0]


def test_silence_is_recognised_as_nothing():
    pytest.importorskip("pocketsphinx")
    assert recognise([np.zeros(22_050, np.float32)]) == [Heard(text="")]


def test_a_text_in_another_language_is_refused():
    german = "Der schnelle braune Fuchs springt über den faulen Hund, und niemand weiß, warum er das eigentlich tut."
    with pytest.raises(DataError) as caught:
        require_english(german, SETTINGS)
    assert caught.value.cause == "transcript_invalid"


def test_english_with_names_and_numbers_is_english():
    require_english(
        "In 1455 Johann Gutenberg printed some 180 bibles at Mainz, the finest of them on vellum.", SETTINGS
    )


def test_how_much_of_a_text_has_to_be_english_is_a_setting():
    with pytest.raises(DataError, match="English"):
        require_english(
            "Ein Text aus vielen deutschen Wörtern, wie man ihn sonst nirgends findet, und noch einige dazu.", SETTINGS
        )
    require_english(
        "Ein Text aus vielen deutschen Wörtern, wie man ihn sonst nirgends findet, und noch einige dazu.",
        PrepareSettings(min_english_share=0.0),
    )


@_on_reader
@pytest.mark.parametrize("stricter", [{"min_text_confidence": 1.0}, {"min_text_share": 0.9}])
def test_what_a_text_has_to_reach_is_a_setting(stricter: dict[str, float], waves: list[np.ndarray], aligner: Aligner):
    text = " ".join(said for _, said in _rows()[:3])
    assert match_heard(text, waves, [Heard(text=said) for said in HEARD], aligner, SETTINGS)
    with pytest.raises(DataError) as caught:
        match_heard(text, waves, [Heard(text=said) for said in HEARD], aligner, PrepareSettings(**stricter))
    assert caught.value.cause == "transcript_mismatch"


@pytest.mark.skipif(not SHIPPED.exists(), reason="the base weights are not there")
def test_a_text_without_words_is_refused(aligner: Aligner):
    with pytest.raises(TextError):
        match_heard("…", [np.zeros(22_050, np.float32)], [Heard(text="")], aligner, SETTINGS)


def test_a_transcript_is_written_with_its_marks_and_an_end():
    bob, sees = Word("bob", (("B", "AA1", "B"),), ","), Word("sees", (("S", "IY1", "Z"),), "")
    assert written([bob, sees]) == "bob, sees."


def test_a_text_that_fits_needs_no_warning():
    assert warnings([Matched(transcript="a", confidence=1.0)], [np.zeros(100)], SETTINGS) == []
