"""The acoustic features every model of this project shares: log-mel spectrogram, F0 and voicing, 86.13 frames per second.

Frame `t` is centred on sample `t * HOP`; a wave of `n` samples has `1 + n // HOP` frames. Mel: Slaney's scale and area
normalisation over magnitudes, natural log clamped at 1e-5. F0: DIO and StoneMask (Morise et al. 2009; WORLD).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyworld
import torch
from torchaudio.functional import melscale_fbanks

SAMPLE_RATE = 22_050
FFT = 1024
HOP = 256
MELS = 80
MEL_LOW_HZ = 0.0
MEL_HIGH_HZ = 11_025.0
LOG_FLOOR = 1e-5
F0_LOW_HZ = 60.0
F0_HIGH_HZ = 500.0
UNVOICED_F0_HZ = 150.0
"""F0 given to a stretch that has no voiced frame at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """Features of one utterance: `mel` (MELS, frames) float32, `f0` (frames,) Hz float32 without gaps, `voicing` (frames,) 0 or 1."""

    mel: torch.Tensor
    f0: torch.Tensor
    voicing: torch.Tensor


def description() -> dict[str, float | int | str]:
    """The constants of this module, as they are written into a checkpoint."""
    return {
        "sample_rate": SAMPLE_RATE,
        "fft": FFT,
        "hop": HOP,
        "mels": MELS,
        "mel_low_hz": MEL_LOW_HZ,
        "mel_high_hz": MEL_HIGH_HZ,
        "log_floor": LOG_FLOOR,
        "mel_scale": "slaney",
        "f0_low_hz": F0_LOW_HZ,
        "f0_high_hz": F0_HIGH_HZ,
        "f0_method": "dio+stonemask",
    }


def extract(wave: np.ndarray) -> Features:
    """Features of `wave` (samples,) float32 at SAMPLE_RATE."""
    mel = mel_of(wave)
    f0, voicing = fundamental_frequency(wave, frames=mel.shape[1])
    return Features(mel=mel, f0=torch.from_numpy(f0), voicing=torch.from_numpy(voicing))


def mel_of(wave: np.ndarray) -> torch.Tensor:
    """The log-mel spectrogram alone: (samples,) -> (MELS, frames) float32."""
    return log_mel(torch.from_numpy(np.ascontiguousarray(wave, dtype=np.float32))[None])[0]


def log_mel(wave: torch.Tensor) -> torch.Tensor:
    """Differentiable log-mel spectrogram: (batch, samples) -> (batch, MELS, frames)."""
    magnitude = stft(wave).abs()
    return torch.log(torch.clamp(mel_filters().to(wave.device) @ magnitude, min=LOG_FLOOR))


def stft(wave: torch.Tensor) -> torch.Tensor:
    """Complex spectrum with a periodic Hann window: (batch, samples) -> (batch, FFT // 2 + 1, frames)."""
    # Zero padding: the gradient of reflection padding has no deterministic CUDA kernel.
    window = torch.hann_window(FFT, device=wave.device)
    return torch.stft(wave, FFT, HOP, window=window, center=True, pad_mode="constant", return_complex=True)


def fundamental_frequency(wave: np.ndarray, *, frames: int) -> tuple[np.ndarray, np.ndarray]:
    """F0 in Hz, interpolated through unvoiced frames on a log scale, and voicing; both (frames,) float32."""
    signal = np.ascontiguousarray(wave, dtype=np.float64)
    period_ms = 1000.0 * HOP / SAMPLE_RATE
    raw, times = pyworld.dio(signal, SAMPLE_RATE, f0_floor=F0_LOW_HZ, f0_ceil=F0_HIGH_HZ, frame_period=period_ms)
    refined = pyworld.stonemask(signal, raw, times, SAMPLE_RATE)[:frames]
    refined = np.pad(refined, (0, frames - len(refined)))
    voiced = (refined >= F0_LOW_HZ) & (refined <= F0_HIGH_HZ)
    if not voiced.any():
        return np.full(frames, UNVOICED_F0_HZ, np.float32), np.zeros(frames, np.float32)
    index = np.arange(frames)
    log_f0 = np.interp(index, index[voiced], np.log(refined[voiced]))
    return np.exp(log_f0).astype(np.float32), voiced.astype(np.float32)


@lru_cache(maxsize=1)
def mel_filters() -> torch.Tensor:
    """Triangular filters of unit area in Hz, (MELS, FFT // 2 + 1) float32."""
    return melscale_fbanks(
        FFT // 2 + 1, MEL_LOW_HZ, MEL_HIGH_HZ, MELS, SAMPLE_RATE, norm="slaney", mel_scale="slaney"
    ).T.contiguous()


def mel_centres_hz() -> np.ndarray:
    """Centroids of the mel bands, (MELS,) Hz."""
    filters = mel_filters().double().numpy()
    return filters @ np.linspace(0.0, SAMPLE_RATE / 2, FFT // 2 + 1) / filters.sum(axis=1)
