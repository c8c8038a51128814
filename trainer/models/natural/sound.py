"""`speak.synthesise` in torch, for learning: a gradient passes through it."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional as F

from trainer.models.natural.speak import (
    BINS,
    FFT,
    HIGHEST_HZ,
    HOP,
    MOST_LOG_MAGNITUDE,
    NEAR_PULSE,
    SAMPLE_RATE,
    VOICED_FROM_HZ,
)

__all__ = [
    "BINS",
    "FFT",
    "HOP",
    "SAMPLE_RATE",
    "VOICED_FROM_HZ",
    "Spectra",
    "pulses",
    "synthesise",
    "white_noise",
]


class Spectra(NamedTuple):
    """What the decoder predicts, (batch, BINS, frames) each; see the module."""

    harmonic: torch.Tensor
    harmonic_phase: torch.Tensor
    noise: torch.Tensor
    residual: torch.Tensor
    residual_phase: torch.Tensor


def synthesise(spectra: Spectra, f0: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    """Spectra, (batch, frames) Hz and (batch, BINS, frames) complex noise -> (batch, frames * HOP)."""
    source = _stft(pulses(f0)) / (FFT / 4)  # a cosine of amplitude 1 then has magnitude 1 in its bin
    harmonic = torch.polar(_magnitude(spectra.harmonic), math.pi * torch.tanh(spectra.harmonic_phase))
    residual = torch.polar(_magnitude(spectra.residual), spectra.residual_phase)
    whole = source * harmonic + _magnitude(spectra.noise) * noise + residual
    return torch.istft(whole, FFT, HOP, window=_window(f0), center=True, length=f0.shape[1] * HOP)


@torch.no_grad()
def pulses(f0: torch.Tensor) -> torch.Tensor:
    """All harmonics of F0 up to HIGHEST_HZ with amplitude 1: (batch, frames) Hz -> (batch, frames * HOP); nothing where unvoiced.

    Closed form of the sum of N cosines (Dirichlet kernel): sin((N + 1/2) p) / (2 sin(p / 2)) - 1/2.
    """
    track = F.interpolate(f0[:, None].float(), scale_factor=HOP, mode="linear", align_corners=False)[:, 0]
    voiced = track > VOICED_FROM_HZ
    track = track.clamp(min=VOICED_FROM_HZ)
    # The phase is summed in double precision: in single it is off by a radian at the 50th harmonic after some seconds.
    turns = torch.cumsum(track.double(), dim=1) / SAMPLE_RATE
    phase = (2.0 * math.pi * (turns - torch.floor(turns))).float()
    harmonics = torch.floor(HIGHEST_HZ / track) + 0.5
    below = 2.0 * torch.sin(0.5 * phase)
    near = below.abs() <= NEAR_PULSE
    kernel = torch.where(near, harmonics, torch.sin(harmonics * phase) / torch.where(near, 1.0, below)) - 0.5
    return torch.where(voiced, kernel, 0.0)


def white_noise(frames: int, generator: np.random.Generator) -> torch.Tensor:
    """Complex noise of unit variance in each part, drawn frame after frame within a bin: (BINS, frames) complex64."""
    drawn = generator.standard_normal((BINS, 2 * frames), dtype=np.float32)
    return torch.from_numpy(drawn.view(np.complex64))


def _magnitude(log_magnitude: torch.Tensor) -> torch.Tensor:
    return torch.exp(log_magnitude.clamp(max=MOST_LOG_MAGNITUDE))


def _stft(wave: torch.Tensor) -> torch.Tensor:
    # (batch, frames * HOP) -> (batch, BINS, frames); the last frame, centred beyond the end, is left out.
    spectrum = torch.stft(wave, FFT, HOP, window=_window(wave), center=True, pad_mode="reflect", return_complex=True)
    return spectrum[:, :, :-1]


def _window(like: torch.Tensor) -> torch.Tensor:
    return torch.hann_window(FFT, device=like.device)
