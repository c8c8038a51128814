"""The demonstration's speaker is somebody else than the base, and always says the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

pytest.importorskip("hibari", reason="the pronunciations are in the package hibari-tts")

from trainer.audio import features
from trainer.dataset import loading
from trainer.models.natural import sound
from trainer.synthesis import demo_speaker
from trainer.synthesis.delivery import Delivery
from trainer.synthesis.natural_voice import NaturalVoice
from trainer.teachers.demo_sentences import SENTENCES
from trainer.training import control_voice
from trainer.voice import natural_base
from trainer.voice.natural_document import NaturalSpeaker

FEW = SENTENCES[:3]


def pitch_hz(wave: np.ndarray) -> float:
    moved = soxr.resample(wave, sound.SAMPLE_RATE, features.SAMPLE_RATE)
    return control_voice.median_f0_hz([loading.from_wave(moved.astype(np.float32))])


def test_rendering_twice_gives_the_same_bytes_with_one_sentence_per_line(tmp_path: Path) -> None:
    for name in ("first", "second"):
        seconds = demo_speaker.render(tmp_path / f"{name}.flac", tmp_path / f"{name}.txt", sentences=FEW)
    info = soundfile.info(tmp_path / "first.flac")
    assert (info.subtype, info.channels, info.samplerate) == ("PCM_16", 1, sound.SAMPLE_RATE)
    assert info.duration == pytest.approx(seconds)
    assert (tmp_path / "first.flac").read_bytes() == (tmp_path / "second.flac").read_bytes()
    assert (tmp_path / "first.txt").read_text(encoding="utf-8").splitlines() == list(FEW)


def test_the_speaker_is_lower_than_the_base_by_pitch_and_tract() -> None:
    voice = NaturalVoice(natural_base.load(), NaturalSpeaker())
    base = np.concatenate([voice.say(one, Delivery(sample_rate=sound.SAMPLE_RATE)).wave for one in FEW])
    ratio = pitch_hz(demo_speaker.perform(FEW)) / pitch_hz(base)
    assert ratio == pytest.approx(demo_speaker.TRACT * demo_speaker.SPEAKER.f0, rel=0.1)
