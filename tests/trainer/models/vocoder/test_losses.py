"""The losses at the points where spectral losses usually break."""

import torch

from trainer.models.vocoder import spectral_loss


def noise(seed: int, samples: int = 8192) -> torch.Tensor:
    return torch.randn(2, samples, generator=torch.Generator().manual_seed(seed)) * 0.1


def test_equal_waves_have_no_loss():
    assert float(spectral_loss(noise(0), noise(0))) == 0.0


def test_the_loss_grows_with_the_difference():
    losses = [float(spectral_loss(noise(0) + scale * noise(1), noise(0))) for scale in (0.01, 0.1, 1.0)]
    assert losses == sorted(losses)


def test_silence_against_speech_has_a_finite_loss_and_gradient():
    silence = torch.zeros(2, 8192, requires_grad=True)
    loss = spectral_loss(silence, noise(0))
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(silence.grad).all()


def test_nan_is_not_hidden():
    broken = noise(0)
    broken[0, 100] = torch.nan
    assert torch.isnan(spectral_loss(broken, noise(1)))
