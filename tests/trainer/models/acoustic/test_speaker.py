"""A speaker's statistics: what they are measured on, and what is refused."""

import math

import pytest
import torch

from trainer.audio.features import MELS, Features
from trainer.models.acoustic.speaker import Speaker, measure, speech_frames
from trainer.text.phones import ID


def recorded(level: float = -4.0) -> tuple[Features, torch.Tensor, torch.Tensor]:
    mel = torch.full((MELS, 40), level)
    mel[:, ::2] += 1.0
    mel[:, 30:] = -11.0  # a pause
    f0 = torch.full((40,), 120.0)
    voicing = (torch.arange(40) < 30).float()
    return Features(mel=mel, f0=f0, voicing=voicing), torch.tensor([ID["AA1"], ID["."]]), torch.tensor([30, 10])


def test_pauses_say_nothing_about_the_speaker():
    found = measure([recorded()], torch.rand(256))
    assert float(found.mel_mean[0]) == pytest.approx(-3.5, abs=0.1)
    assert float(found.log_duration) == pytest.approx(math.log(31), abs=1e-4)


def test_the_embedding_is_brought_to_unit_length():
    assert float(torch.linalg.vector_norm(measure([recorded()], torch.rand(256) * 9).embedding)) == pytest.approx(1.0)


def test_a_monotone_voice_has_a_deviation_to_divide_by():
    assert float(measure([recorded()], torch.rand(256)).log_f0_deviation) > 0


def test_a_voice_without_a_voiced_frame_is_measured():
    part, symbols, frames = recorded()
    silent = Features(mel=part.mel, f0=part.f0, voicing=torch.zeros(40))
    assert math.isfinite(float(measure([(silent, symbols, frames)], torch.rand(256)).log_f0_mean))


def test_silence_has_a_frame_of_speech():
    assert bool(speech_frames(torch.full((MELS, 5), -11.5)).any())


def test_a_speaker_survives_a_checkpoint():
    found = measure([recorded()], torch.rand(256))
    again = Speaker.from_dict(found.as_dict())
    assert all(torch.equal(value, again.as_dict()[name]) for name, value in found.as_dict().items())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("embedding", torch.zeros(255)),
        ("mel_mean", torch.full((MELS,), math.nan)),
        ("mel_gain", torch.ones(MELS, dtype=torch.float64)),
        ("f0_gain", 1.0),
        ("mel_deviation", torch.zeros(MELS)),
    ],
)
def test_a_speaker_that_cannot_be_is_refused(name, value):
    values = measure([recorded()], torch.rand(256)).as_dict()
    with pytest.raises(ValueError, match="speaker"):
        Speaker.from_dict({**values, name: value})
