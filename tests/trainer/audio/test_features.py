"""Features: shapes, scales and F0 of signals whose answer is known."""

import numpy as np
import pytest
import torch

from trainer.audio import features


def tone(hertz: float, seconds: float = 1.0) -> np.ndarray:
    time = np.arange(int(seconds * features.SAMPLE_RATE)) / features.SAMPLE_RATE
    partials = [np.sin(2 * np.pi * hertz * k * time) / k for k in range(1, int(8000 / hertz))]
    return (0.2 * np.sum(partials, axis=0)).astype(np.float32)


def test_frames_are_one_more_than_whole_hops():
    found = features.extract(tone(120.0)[: 40 * features.HOP])
    assert found.mel.shape == (features.MELS, 41)
    assert found.f0.shape == found.voicing.shape == (41,)


@pytest.mark.parametrize("hertz", [80.0, 123.4, 220.0, 400.0])
def test_f0_of_a_tone_is_within_one_percent(hertz):
    found = features.extract(tone(hertz))
    assert found.voicing.mean() > 0.8
    assert float(found.f0[found.voicing > 0].median()) == pytest.approx(hertz, rel=0.01)


def test_silence_is_unvoiced_and_at_the_floor():
    found = features.extract(np.zeros(features.SAMPLE_RATE, np.float32))
    assert not found.voicing.any()
    assert torch.allclose(found.mel, torch.tensor(features.LOG_FLOOR).log())
    assert (found.f0 == features.UNVOICED_F0_HZ).all()


@pytest.mark.parametrize("hertz", [300.0, 1000.0, 4000.0, 9000.0])
def test_a_sine_peaks_in_the_band_around_its_frequency(hertz):
    time = torch.arange(features.SAMPLE_RATE) / features.SAMPLE_RATE
    mel = features.log_mel(torch.sin(2 * np.pi * hertz * time)[None])[0].mean(dim=1)
    nearest = int(np.abs(features.mel_centres_hz() - hertz).argmin())
    assert abs(int(mel.argmax()) - nearest) <= 1


def test_every_filter_has_unit_area():
    width = features.SAMPLE_RATE / features.FFT
    # Bands narrower than two bins are sampled coarsely.
    assert features.mel_filters().sum(dim=1).numpy()[40:] * width == pytest.approx(1.0, rel=0.02)


def test_the_mel_spectrogram_has_a_gradient_in_silence():
    wave = torch.zeros(1, 4096, requires_grad=True)
    features.log_mel(wave).sum().backward()
    assert torch.isfinite(wave.grad).all()
