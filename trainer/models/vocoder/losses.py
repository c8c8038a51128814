"""Spectral losses between two waves: multi-resolution STFT (Yamamoto et al. 2020) and mel L1 (Kong et al. 2020)."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from trainer.audio.features import log_mel

RESOLUTIONS = (512, 1024, 2048)
"""FFT sizes in samples; the hop is a quarter of each."""

POWER_FLOOR = 1e-7
"""Below what 16-bit quantisation noise has at 1024 points: silence is compared as silence, and the square root has a gradient."""


def spectral_loss(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean over resolutions of (spectral convergence + log-magnitude L1), plus mel L1: two (batch, samples) -> scalar."""
    return multi_resolution_stft(predicted, target) + F.l1_loss(log_mel(predicted), log_mel(target))


def multi_resolution_stft(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Spectral convergence over the whole batch plus log-magnitude L1, averaged over RESOLUTIONS: scalar."""
    total = predicted.new_zeros(())
    for size in RESOLUTIONS:
        ours, theirs = _magnitude(predicted, size), _magnitude(target, size)
        convergence = torch.linalg.vector_norm(theirs - ours) / torch.linalg.vector_norm(theirs)
        total = total + convergence + F.l1_loss(torch.log(ours), torch.log(theirs))
    return total / len(RESOLUTIONS)


def _magnitude(wave: torch.Tensor, size: int) -> torch.Tensor:
    # (batch, samples) -> (batch, size // 2 + 1, frames)
    window = torch.hann_window(size, device=wave.device)
    spectrum = torch.stft(wave, size, size // 4, window=window, center=True, pad_mode="constant", return_complex=True)
    return torch.sqrt(torch.clamp(spectrum.real.square() + spectrum.imag.square(), min=POWER_FLOOR))
