"""The vocoder's contracts: shapes, an honest start, gradients, phase."""

import pytest
import torch

from trainer.audio.features import FFT, HOP, MELS, log_mel
from trainer.models.vocoder import Vocoder, VocoderConfig
from trainer.models.vocoder.excitation import white_noise
from trainer.models.vocoder.model import minimum_phase

SMALL = VocoderConfig(width=16, hidden=32, blocks=2)
FRAMES = 24


def inputs(voiced: float = 1.0):
    mel = torch.linspace(-2.0, -6.0, MELS)[None, :, None].expand(2, MELS, FRAMES)
    f0 = torch.full((2, FRAMES), 110.0)
    noise = white_noise((FRAMES - 1) * HOP, batch=2, generator=torch.Generator().manual_seed(0))
    return mel, f0, torch.full((2, FRAMES), voiced), noise


def test_wave_is_one_hop_for_every_frame_but_the_last():
    assert Vocoder(SMALL)(*inputs()).shape == (2, (FRAMES - 1) * HOP)


def test_the_start_does_not_depend_on_the_seed():
    waves = [Vocoder.untrained(SMALL, seed=seed)(*inputs()) for seed in (0, 1)]
    assert torch.equal(*waves)


def test_equal_seeds_give_equal_weights_whatever_was_drawn_before():
    first = Vocoder.untrained(SMALL, seed=5).state_dict()
    torch.randn(100)
    second = Vocoder.untrained(SMALL, seed=5).state_dict()
    assert first and all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("voiced", [0.0, 1.0])
def test_the_start_has_the_mel_spectrum_it_was_given(voiced):
    mel, *rest = inputs(voiced)
    copy = log_mel(Vocoder(SMALL)(mel, *rest))[:, :, 6:-6].mean(dim=2)
    # Low bands hold single harmonics, so only the upper half can match band by band.
    assert float((copy - mel[:, :, 0])[:, 40:].abs().mean().detach()) < 0.3


def test_every_weight_of_a_moved_network_gets_a_finite_gradient():
    model = Vocoder(SMALL)
    torch.nn.init.normal_(model.output.weight, std=0.01)
    model(*inputs()).square().mean().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name


def test_minimum_phase_keeps_the_magnitude_and_puts_the_energy_first():
    log_magnitude = torch.cos(torch.linspace(0, 9, FFT // 2 + 1))[None, :, None].expand(1, -1, 2).contiguous()
    spectrum = minimum_phase(log_magnitude)
    assert torch.allclose(spectrum.abs().log(), log_magnitude, atol=1e-4)
    response = torch.fft.irfft(spectrum, n=FFT, dim=1)[0, :, 0].square()
    assert float(response[: FFT // 2].sum() / response.sum()) > 0.999


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"width": 16},
        {"width": 16, "hidden": 32, "blocks": 2, "kernel": True},
        {"width": 10**9, "hidden": 1, "blocks": 1, "kernel": 7},
        {"width": 16, "hidden": 32, "blocks": 2, "kernel": 4},
    ],
)
def test_a_config_that_no_vocoder_has_is_refused(values):
    with pytest.raises(ValueError, match=r"whole number|config has|not odd"):
        VocoderConfig.from_dict(values)
