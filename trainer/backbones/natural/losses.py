"""How far one 24 kHz wave lies from another: multi-resolution STFT (Yamamoto et al. 2020) and mel L1, below a highest frequency."""

from __future__ import annotations

from functools import lru_cache

import torch
import torch.nn.functional as F
from torchaudio.functional import melscale_fbanks

from trainer.models.natural.sound import SAMPLE_RATE

RESOLUTIONS = (2048, 1024, 512)
"""FFT sizes in samples; the hop is a quarter of each."""
_CONVERGENCE = 0.5
"""Weight of the spectral convergence: it hears the loud parts, the logarithm the quiet ones."""
_MEL_FFT, _MELS = 2048, 80
POWER_FLOOR = 1e-7
"""Below what 16-bit quantisation noise has: silence is compared as silence, and the square root has a gradient."""
_AMPLITUDE_FLOOR = 1e-5


def spectral_loss(predicted: torch.Tensor, target: torch.Tensor, highest_hz: float) -> torch.Tensor:
    """Two (batch, samples) -> scalar; what lies above `highest_hz` was never recorded and is not judged."""
    total = predicted.new_zeros(())
    for size in RESOLUTIONS:
        ours, theirs = (_magnitude(wave, size)[:, : bins(size, highest_hz)] for wave in (predicted, target))
        convergence = torch.linalg.vector_norm(theirs - ours) / torch.linalg.vector_norm(theirs)
        total = total + _CONVERGENCE * convergence + F.l1_loss(torch.log(ours), torch.log(theirs))
    return total / len(RESOLUTIONS) + F.l1_loss(log_mel(predicted, highest_hz), log_mel(target, highest_hz))


def bins(size: int, highest_hz: float) -> int:
    """How many bins of an FFT of `size` samples lie at or below `highest_hz`."""
    return int(highest_hz / SAMPLE_RATE * size) + 1


def log_mel(wave: torch.Tensor, highest_hz: float) -> torch.Tensor:
    """(batch, samples) -> (batch, 80, frames), bands up to `highest_hz`."""
    bands = _mel_filters(highest_hz) @ _magnitude(wave, _MEL_FFT)
    return torch.log(bands.clamp(min=_AMPLITUDE_FLOOR))


def _magnitude(wave: torch.Tensor, size: int) -> torch.Tensor:
    # (batch, samples) -> (batch, size // 2 + 1, frames)
    window = torch.hann_window(size)
    spectrum = torch.stft(wave, size, size // 4, window=window, center=True, pad_mode="constant", return_complex=True)
    return torch.sqrt(torch.clamp(spectrum.real.square() + spectrum.imag.square(), min=POWER_FLOOR))


@lru_cache
def _mel_filters(highest_hz: float) -> torch.Tensor:
    filters = melscale_fbanks(_MEL_FFT // 2 + 1, 0.0, highest_hz, _MELS, SAMPLE_RATE, norm="slaney", mel_scale="slaney")
    return filters.T.contiguous()
