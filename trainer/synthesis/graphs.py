"""The two networks as graphs of real numbers, in the form in which they are exported; equal to `AcousticModel.infer` and `Vocoder.forward`."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from trainer.audio import features
from trainer.models.acoustic import AcousticModel, Speaker
from trainer.models.vocoder import Vocoder
from trainer.models.vocoder.model import BINS, UNVOICED_PULSES, VOICED_NOISE


class AcousticGraph(nn.Module):
    """Symbols of one sentence to frames, with the speaker inside."""

    INPUTS = ("symbols", "word_starts", "rate", "pitch", "pause", "liveliness")
    OUTPUTS = ("mel", "f0", "voicing", "frames")

    def __init__(self, model: AcousticModel, speaker: Speaker) -> None:
        super().__init__()
        self.model = model
        self.speaker = speaker

    def forward(
        self,
        symbols: torch.Tensor,
        word_starts: torch.Tensor,
        rate: torch.Tensor,
        pitch: torch.Tensor,
        pause: torch.Tensor,
        liveliness: torch.Tensor,
    ) -> tuple[torch.Tensor, ...]:
        """(P,) int64, (P,), and four scalars as `AcousticModel.infer` takes them -> mel (MELS, T), f0 (T,), voicing (T,), frames (P,) int64."""
        found = self.model.infer(
            symbols, word_starts, self.speaker, rate=rate, pitch=pitch, pause=pause, liveliness=liveliness
        )
        return tuple(found)


class VocoderGraph(nn.Module):
    """`Vocoder.forward` with the pulses given and every Fourier transform a matrix product."""

    INPUTS = ("mel", "f0", "voicing", "pulses", "noise")
    OUTPUTS = ("wave",)

    def __init__(self, vocoder: Vocoder) -> None:
        super().__init__()
        self.vocoder = vocoder
        window = np.hanning(features.FFT + 1)[:-1]
        cosine, sine = _bases()
        analysis = np.concatenate([cosine, -sine]) * window
        # Each bin but the first and the last stands for two.
        weight = np.r_[1.0, np.full(BINS - 2, 2.0), 1.0][:, None] / features.FFT
        synthesis = np.concatenate([cosine * weight, -sine * weight]) * window
        for name, value in (
            ("analysis", analysis[:, None]),
            ("synthesis", synthesis[:, None]),
            ("overlap", (window**2)[None, None]),
            ("hilbert", _hilbert()),
        ):
            self.register_buffer(name, torch.from_numpy(value.astype(np.float32)), persistent=False)

    def forward(
        self,
        mel: torch.Tensor,
        f0: torch.Tensor,
        voicing: torch.Tensor,
        pulses: torch.Tensor,
        noise: torch.Tensor,
    ) -> torch.Tensor:
        """(MELS, T), (T,), (T,), ((T - 1) * HOP,) twice -> ((T - 1) * HOP,)."""
        mel, f0, voicing = mel[None], f0[None], voicing[None]
        residual = self.vocoder.residual(mel, f0, voicing)
        envelope = self.vocoder.interpolation @ mel - self.vocoder.level
        voiced = torch.clamp(voicing[:, None], min=UNVOICED_PULSES)
        unvoiced = torch.clamp(1.0 - voicing[:, None], min=VOICED_NOISE)
        level = envelope + torch.log(voiced) + residual[:, :BINS]
        phase = self.hilbert @ level
        magnitude = torch.exp(level)
        real, imaginary = magnitude * torch.cos(phase), magnitude * torch.sin(phase)
        aperiodic = torch.exp(envelope + torch.log(unvoiced) + residual[:, BINS:])
        pulse_real, pulse_imaginary = self._spectrum(pulses)
        noise_real, noise_imaginary = self._spectrum(noise)
        spectrum = torch.cat(
            [
                pulse_real * real - pulse_imaginary * imaginary + noise_real * aperiodic,
                pulse_real * imaginary + pulse_imaginary * real + noise_imaginary * aperiodic,
            ],
            dim=1,
        )
        half = features.FFT // 2
        wave = F.conv_transpose1d(spectrum, self.synthesis, stride=features.HOP, padding=half)
        overlap = F.conv_transpose1d(torch.ones_like(f0)[:, None], self.overlap, stride=features.HOP, padding=half)
        return (wave / overlap)[0, 0]

    def _spectrum(self, wave: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(samples,) -> real and imaginary part, (1, BINS, T) each."""
        both = F.conv1d(wave[None, None], self.analysis, stride=features.HOP, padding=features.FFT // 2)
        return both[:, :BINS], both[:, BINS:]


def _bases() -> tuple[np.ndarray, np.ndarray]:
    """Cosines and sines of every bin, (BINS, FFT) each."""
    turns = np.outer(np.arange(BINS), np.arange(features.FFT)) % features.FFT / features.FFT
    return np.cos(2 * np.pi * turns), np.sin(2 * np.pi * turns)


def _hilbert() -> np.ndarray:
    """(BINS, BINS): log magnitude of a spectrum to the phase that makes it minimum phase (its real cepstrum folded, as `minimum_phase`)."""
    cepstra = np.fft.irfft(np.eye(BINS), n=features.FFT, axis=0)
    fold = np.zeros((features.FFT, 1))
    fold[0] = fold[features.FFT // 2] = 1.0
    fold[1 : features.FFT // 2] = 2.0
    return np.fft.rfft(cepstra * fold, axis=0).imag
