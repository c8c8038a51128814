"""A natural voice speaks through the same interface as every other: text in, 24 kHz out, with all settings of a delivery."""

from __future__ import annotations

import copy
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("hibari", reason="the pronunciations are in the package hibari-tts")

from trainer.errors import TrainingError
from trainer.files import checkpoint
from trainer.files.checkpoint import CheckpointError
from trainer.models.natural import NaturalModel, speak
from trainer.synthesis import checkpoint_voice
from trainer.synthesis.delivery import Delivery
from trainer.synthesis.natural_voice import NaturalVoice
from trainer.voice import natural_base, natural_document
from trainer.voice.natural_speaker import NaturalSpeaker

TEXT = "Good morning. It was raining, wasn't it?"
AT_24_KHZ = Delivery(sample_rate=24_000)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("natural") / "voice.pt"
    document = natural_document.document(model=natural_base.load(), speaker=NaturalSpeaker(), training={})
    checkpoint.save(path, document)
    return path


@pytest.fixture(scope="module")
def voice(file: Path) -> NaturalVoice:
    torch.set_num_threads(1)
    found = checkpoint_voice.load(file)
    assert isinstance(found, NaturalVoice)
    return found


def test_a_checkpoint_speaks_and_the_parts_of_a_stream_are_the_whole(voice: NaturalVoice) -> None:
    whole = voice.say(TEXT, AT_24_KHZ)
    parts = list(voice.stream(TEXT, AT_24_KHZ))
    assert len(parts) == 2 and np.array_equal(np.concatenate([part.wave for part in parts]), whole.wave)
    assert whole.sample_rate == 24_000 and 2.0 < whole.seconds < 5.0
    assert np.abs(whole.wave).max() <= 1.0 and np.abs(whole.wave[[0, -1]]).max() < 1e-3


def test_equal_seeds_give_equal_bytes_and_others_other_noise(voice: NaturalVoice) -> None:
    first, again, other = (voice.say("Six.", Delivery(seed=seed)).wave for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_rate_and_pause_change_the_length(voice: NaturalVoice) -> None:
    plain, fast, slow = (
        voice.say("It was raining, and nobody knew.", how).seconds
        for how in (Delivery(), Delivery(rate=1.5), Delivery(pause=3.0))
    )
    assert fast < 0.8 * plain < plain < slow


@pytest.mark.parametrize(
    ("speaker", "delivery", "ratio", "spread"),
    [
        (NaturalSpeaker(), Delivery(), 1.0, 1.0),
        (NaturalSpeaker(f0=0.6), Delivery(), 0.6, 1.0),
        (NaturalSpeaker(), Delivery(pitch=12.0, liveliness=0.0), 2.0, 0.0),
        (NaturalSpeaker(liveliness=0.5), Delivery(pitch=-5.0), 2 ** (-5 / 12), 0.5),
    ],
)
def test_speaker_and_delivery_move_the_bases_melody(
    speaker: NaturalSpeaker, delivery: Delivery, ratio: float, spread: float
) -> None:
    f0 = np.array([0.0, -2.0, 150.0, 200.0, 250.0, 0.0], np.float32)
    moved = speak.moved(f0, asdict(speaker), pitch=delivery.pitch, liveliness=delivery.liveliness)
    ours, theirs = np.log(moved[2:5]), np.log(f0[2:5])
    assert moved.dtype == np.float32
    assert ours.mean() - theirs.mean() == pytest.approx(np.log(ratio), abs=1e-5)
    assert ours.std() / theirs.std() == pytest.approx(spread, abs=1e-4)
    assert np.array_equal(moved[[0, 1, 5]], f0[[0, 1, 5]])  # what is unvoiced stays so


def test_sound_that_is_no_speech_is_refused(voice: NaturalVoice) -> None:
    mute = natural_document.restore(
        natural_document.document(model=voice.model, speaker=voice.speaker, training={})
    ).model
    with torch.no_grad():
        mute.decoder.output.weight.zero_()
        mute.decoder.output.bias.fill_(-20.0)
    with pytest.raises(TrainingError) as caught:
        NaturalVoice(mute, voice.speaker).say("Hello there.")
    assert caught.value.cause == "voice_unusable"


@pytest.mark.parametrize("log_time", [1e4, -1e4, 3e38])
def test_times_without_end_or_sense_are_an_unusable_voice(voice: NaturalVoice, log_time: float) -> None:
    hostile = copy.deepcopy(voice.model)
    with torch.no_grad():
        hostile.melody.duration.weight.zero_()
        hostile.melody.duration.bias.fill_(log_time)
    broken = NaturalVoice(hostile, voice.speaker)
    if log_time < 0:  # every symbol takes one frame
        assert broken.say("Hello there.").seconds < 1.0
        return
    with pytest.raises(TrainingError) as caught:
        broken.say("Hello there.")
    assert caught.value.cause == "voice_unusable"


def test_times_that_are_no_numbers_are_an_unusable_voice(voice: NaturalVoice) -> None:
    hostile = copy.deepcopy(voice.model)
    with torch.no_grad():
        hostile.melody.text.embedding.weight.fill_(3e38)
    assert not torch.isfinite(hostile.melody.times(hostile.melody.text(torch.tensor([[0, 69, 0]])))).any()
    with pytest.raises(TrainingError) as caught:
        NaturalVoice(hostile, voice.speaker).say("Hello there.")
    assert caught.value.cause == "voice_unusable"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "version 1"),
        (
            {"format": "voice-acceptance/voice"},
            "spectral-adapter, which this program no longer reads: train the voice again",
        ),
        (
            {"format": "voice-acceptance/vocoder"},
            "voice-acceptance/vocoder version 1; this program reads voice-acceptance/natural-voice",
        ),
        ({"format": "something else"}, "not a voice of this project"),
        ({"symbols": "abc"}, "other symbols"),
        ({"speaker": {"f0": 9.0, "liveliness": 1.0, "rate": 1.0}}, "f0 is not a number from 0.2 to 5"),
        ({"speaker": {"f0": 1.0}, "network": {}}, "config is missing"),
        ({"training": None}, "'training' is missing"),
    ],
)
def test_a_document_that_is_none_is_refused(change: dict, message: str) -> None:
    document = natural_document.document(
        model=NaturalModel(natural_base.load().config), speaker=NaturalSpeaker(), training={}
    )
    with pytest.raises(CheckpointError, match=message):
        natural_document.restore({**document, **change})


def test_weights_that_are_not_finite_or_not_these_are_refused() -> None:
    document = natural_document.document(model=natural_base.load(), speaker=NaturalSpeaker(), training={})
    weights = document["network"]["weights"]
    weights["decoder.norm.bias"] = torch.full_like(weights["decoder.norm.bias"], float("nan"))
    with pytest.raises(CheckpointError, match="NaN"):
        natural_document.restore(document)
    del weights["decoder.norm.bias"]
    with pytest.raises(CheckpointError, match="not those"):
        natural_document.restore(document)
