"""What a voice does with texts; the mechanics, which a voice that has learnt nothing shows as well."""

import itertools
import tracemalloc
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
import soundfile
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.trainer.synthesis import untrained_voice
from trainer.errors import TrainingError
from trainer.files import checkpoint
from trainer.models.natural import NaturalConfig
from trainer.models.natural.layers import HEADS
from trainer.synthesis import Delivery, load
from trainer.synthesis.delivery import SAMPLE_RATES
from trainer.synthesis.finishing import PARAGRAPH_S, PAUSES_S
from trainer.synthesis.natural_voice import NaturalVoice
from trainer.text import TextError
from trainer.voice.natural_speaker import NaturalSpeaker

TEXT = "The first sentence is short. Is the second one longer than the first?\n\nA new paragraph begins here!"


def test_three_lines_make_a_file(voice_file, tmp_path):
    voice = load(voice_file)
    path = voice.say("Hello.").save(tmp_path / "hello.wav")
    assert soundfile.info(path).samplerate == 24_000
    assert soundfile.info(path).duration > 0.2


def test_the_same_text_and_seed_give_the_same_bytes(voice_file, tmp_path):
    written = [
        load(voice_file).say(TEXT, Delivery(seed=3)).save(tmp_path / name).read_bytes() for name in ("a.wav", "b.wav")
    ]
    assert written[0] == written[1]


def test_another_seed_changes_the_noise_and_nothing_else(voice):
    one, other = (voice.say(TEXT, Delivery(seed=seed)).wave for seed in (1, 2))
    assert len(one) == len(other)
    assert not np.array_equal(one, other)


def test_a_stream_joined_is_what_say_gives(voice):
    parts = list(voice.stream(TEXT))
    assert [part.text for part in parts] == [
        "The first sentence is short.",
        "Is the second one longer than the first?",
        "A new paragraph begins here!",
    ]
    assert np.array_equal(np.concatenate([part.wave for part in parts]), voice.say(TEXT).wave)


def test_what_another_voice_or_text_drew_before_changes_nothing(voice):
    before = voice.say("Good evening.").wave
    torch.manual_seed(99)
    voice.say("Something else.")
    assert np.array_equal(voice.say("Good evening.").wave, before)


def test_lines_are_spoken_as_the_text_that_they_make(voice):
    assert np.array_equal(
        np.concatenate([part.wave for part in voice.stream(TEXT.splitlines(keepends=True))]), voice.say(TEXT).wave
    )


@pytest.mark.parametrize("sample_rate", SAMPLE_RATES)
def test_every_sentence_begins_and_ends_in_silence(voice, sample_rate):
    for part in voice.stream(TEXT, Delivery(sample_rate=sample_rate)):
        assert part.sample_rate == sample_rate
        assert abs(part.wave[0]) < 3e-3
        assert abs(part.wave[-1]) < 3e-3


def test_a_sample_rate_changes_the_number_of_samples_and_not_the_length(voice):
    lengths = [voice.say("Hello there.", Delivery(sample_rate=rate)).seconds for rate in (22_050, 24_000)]
    assert lengths[0] == pytest.approx(lengths[1], abs=1e-3)


def test_between_paragraphs_the_pause_is_longer_than_between_sentences(voice):
    sentences, paragraphs = (voice.say(text).seconds for text in ("One. Two.", "One.\n\nTwo."))
    assert paragraphs - sentences == pytest.approx(PARAGRAPH_S - PAUSES_S["."], abs=0.02)


def test_a_text_begins_and_ends_in_the_room_and_not_in_digital_silence(voice):
    speech = voice.say("One. Two.")
    for quiet in (
        speech.wave[200 : round(0.2 * speech.sample_rate)],
        speech.wave[-round(0.3 * speech.sample_rate) : -900],
    ):
        assert np.count_nonzero(quiet) > 0.9 * len(quiet)


def test_pauses_follow_the_factor(voice):
    lengths = [voice.say("One. Two. Three.", Delivery(pause=pause)).seconds for pause in (0.0, 1.0, 2.0)]
    assert lengths[0] < lengths[1] < lengths[2]


def test_rate_shortens_speech(voice):
    slow, fast = (voice.say(TEXT, Delivery(rate=rate)).seconds for rate in (0.8, 1.6))
    assert slow / fast == pytest.approx(2.0, rel=0.15)


def test_an_octave_up_doubles_the_pitch(voice):
    periods = []
    for pitch in (0.0, 12.0):
        wave = voice.say("Aaah or are we all.", Delivery(pitch=pitch, liveliness=0.0)).wave
        middle = wave[len(wave) // 3 : len(wave) // 3 + 4096].astype(np.float64)
        similar = np.correlate(middle, middle, "full")[4096 + 44 : 4096 + 360]
        periods.append(44 + int(np.argmax(similar)))
    assert periods[0] / periods[1] == pytest.approx(2.0, rel=0.1)


def test_sentences_stand_at_one_loudness_whatever_the_level_of_the_voice(tmp_path):
    measured = []
    for level in (0.9, 1.3):
        voice = load(untrained_voice.write(tmp_path / f"{level}.pt", level=level))
        for part in voice.stream("The first sentence is short. Is the second one longer?"):
            measured.append(pyloudnorm.Meter(part.sample_rate).integrated_loudness(part.wave.astype(np.float64)))
    assert max(measured) - min(measured) < 1.0


def test_nothing_clips(tmp_path):
    loud = load(untrained_voice.write(tmp_path / "loud.pt", level=4.0))
    assert np.abs(loud.say(TEXT).wave).max() <= 0.9


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"level": -6.0}, "is silent"),
        ({"voiced": False}, "no voice"),
        ({"log_duration": 6.0}, "takes"),
    ],
)
def test_a_voice_that_does_not_speak_is_refused_and_the_words_named(tmp_path, changes, message):
    path = untrained_voice.write(tmp_path / "voice.pt", **changes)
    with pytest.raises(TrainingError, match=message) as caught:
        load(path).say("Nobody will hear this sentence.")
    assert caught.value.cause == "voice_unusable"


def test_samples_that_are_no_numbers_are_refused(voice_file):
    model = load(voice_file).model
    with torch.no_grad():
        model.decoder.output.bias.fill_(float("nan"))
    voice = NaturalVoice(model, NaturalSpeaker())
    with pytest.raises(TrainingError, match="no numbers"):
        voice.say("Hello.")


def test_warnings_come_with_the_speech_each_once(voice):
    speech = voice.say("A bell 🔔 rang. It 🔔 rang again.\n\nNo more.")
    assert len(speech.warnings) == 1
    assert "BELL" in speech.warnings[0]


@pytest.mark.parametrize("text", ["", "🙂", "\x00"])
def test_a_text_without_words_gives_an_error_and_no_silence(voice, text):
    with pytest.raises(TextError):
        voice.say(text)


@pytest.mark.parametrize("text", ["a\x00b\x1bc", "\n\n\nfine\n\n\n", "Yes.", "1" * 30])
def test_odd_texts_are_spoken(voice, text):
    assert voice.say(text).seconds > 0.1


def test_a_word_of_20000_letters_comes_in_sentences_like_any_text(voice):
    first, second = itertools.islice(voice.stream("qwertyuiop" * 2000), 2)
    assert "20000 letters" in first.warnings[0]
    assert first.seconds + second.seconds < 240


def test_memory_does_not_grow_with_the_text(voice):
    lines = ("Nothing is new in this line.\n" if place % 2 else "\n" for place in itertools.count())
    parts = voice.stream(lines)
    for _ in itertools.islice(parts, 5):
        pass
    tracemalloc.start()
    peaks = []
    for _ in range(2):
        tracemalloc.reset_peak()
        for _ in itertools.islice(parts, 10):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
    tracemalloc.stop()
    assert peaks[1] < peaks[0] + 100_000


SIZES = st.integers(1, 12)
CONFIGS = st.builds(
    NaturalConfig, text_width=SIZES, text_rounds=st.integers(1, 2), melody_width=SIZES, melody_rounds=st.integers(1, 2), width=SIZES,
    hidden=SIZES, blocks=st.integers(1, 3), kernel=st.integers(1, 9),
)  # fmt: skip
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([-1.0, 0.0, 0.5, 1.0, 3.0, 30.0])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(config=CONFIGS, changed=st.dictionaries(st.sampled_from(["f0", "liveliness", "rate"]), NUMBERS))
def test_a_voice_of_any_sizes_and_numbers_speaks_or_is_refused(tmp_path, config, changed):
    possible = config.kernel % 2 == 1 and config.text_width % HEADS == 0 and config.melody_width % HEADS == 0
    if possible:
        contents = untrained_voice.contents(config)
    else:
        contents = untrained_voice.contents()
        contents["network"]["config"] = config.as_dict()
    contents["speaker"] |= changed
    checkpoint.save(tmp_path / "any.pt", contents)
    assert outcome(tmp_path / "any.pt") in ({"speaks", "voice_unusable"} if possible else set()) | (
        {"wrong_format"} if changed or not possible else set()
    )


def outcome(path: Path) -> str:
    """What comes of a voice that is asked for a word."""
    try:
        speech = load(path).say("One.")
    except TrainingError as error:
        return error.cause
    return "speaks" if np.isfinite(speech.wave).all() else "speaks no numbers"


def test_a_missing_checkpoint_is_refused(tmp_path):
    with pytest.raises(TrainingError) as caught:
        load(tmp_path / "none.pt")
    assert caught.value.cause == "missing"
