"""What the vocoder's envelopes shape: a band-limited pulse train and white noise, both of unit power and flat spectrum."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from trainer.audio.features import HOP, SAMPLE_RATE


@torch.no_grad()
def pulse_train(f0: torch.Tensor) -> torch.Tensor:
    """All harmonics of F0 below the Nyquist frequency with equal amplitude: (batch, frames) Hz -> (batch, (frames - 1) * HOP) float32.

    Closed form of the sum of N cosines (Dirichlet kernel): sin((N + 1/2) p) / (2 sin(p / 2)) - 1/2.
    """
    # Always on the CPU in double precision: a float32 phase is off by a radian at the 50th harmonic after some seconds, and
    # a cumulative sum has no deterministic CUDA kernel.
    track = F.interpolate(
        f0.double().cpu()[:, None], size=(f0.shape[1] - 1) * HOP + 1, mode="linear", align_corners=True
    )[:, 0, :-1]
    turns = torch.cumsum(track / SAMPLE_RATE, dim=1)
    phase = 2.0 * math.pi * (turns - torch.round(turns))
    harmonics = torch.floor(SAMPLE_RATE / 2 / track)
    half = torch.sin(phase / 2)
    on_pulse = half.abs() < 1e-9
    kernel = torch.sin((harmonics + 0.5) * phase) / (2 * torch.where(on_pulse, torch.ones_like(half), half)) - 0.5
    kernel = torch.where(on_pulse, harmonics, kernel)
    return (kernel * torch.sqrt(2.0 / harmonics)).float().to(f0.device)


def white_noise(samples: int, *, batch: int, generator: torch.Generator) -> torch.Tensor:
    """Gaussian noise of unit variance from a CPU generator: (batch, samples)."""
    return torch.randn(batch, samples, generator=generator)
