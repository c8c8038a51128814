"""The pulse train against the sum of cosines it stands for."""

import math

import pytest
import torch

from trainer.audio.features import HOP, SAMPLE_RATE
from trainer.models.vocoder.excitation import pulse_train, white_noise


def test_the_closed_form_is_the_sum_of_all_harmonics():
    f0, frames = 137.0, 20
    wave = pulse_train(torch.full((1, frames), f0))[0].double()
    phase = 2 * math.pi * f0 / SAMPLE_RATE * torch.arange(1, len(wave) + 1, dtype=torch.float64)
    count = int(SAMPLE_RATE / 2 / f0)
    expected = sum(torch.cos(k * phase) for k in range(1, count + 1)) * math.sqrt(2 / count)
    assert torch.allclose(wave, expected, atol=1e-4)


@pytest.mark.parametrize("f0", [60.0, 150.0, 500.0])
def test_pulses_have_unit_power_like_the_noise(f0):
    wave = pulse_train(torch.full((1, 87), f0))
    assert wave.shape == (1, 86 * HOP)
    assert float(wave.square().mean()) == pytest.approx(1.0, rel=0.02)


def test_a_minute_of_pulses_is_in_tune_at_its_end():
    wave = pulse_train(torch.full((1, 60 * 86), 200.0))[0]
    period = SAMPLE_RATE / 200.0
    peaks = torch.nonzero(wave[-SAMPLE_RATE:] > 0.6 * wave.max()).flatten() + len(wave) - SAMPLE_RATE + 1
    # Peak n lies at n periods, to the sample.
    assert float(((peaks / period) - (peaks / period).round()).abs().max()) * period < 1.0


def test_noise_depends_on_its_generator_only():
    first = white_noise(1000, batch=2, generator=torch.Generator().manual_seed(1))
    torch.randn(10)
    second = white_noise(1000, batch=2, generator=torch.Generator().manual_seed(1))
    assert torch.equal(first, second)
