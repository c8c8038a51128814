"""Differentiable harmonic-plus-noise vocoder: a ConvNeXt stack predicts how two flat excitations are filtered, frame by frame.

Source-filter synthesis after Serra and Smith 1990 and DDSP (Engel et al. 2020); the backbone is ConvNeXt (Liu et al. 2022) as used for
vocoding by Siuzdak 2023. The untrained model is an honest classical vocoder: both envelopes start as the mel spectrogram itself,
interpolated to linear frequency, and the network's output layer starts at zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from trainer.audio import features
from trainer.models.convnext import ConvNeXtBlock
from trainer.models.network import Network, NetworkConfig, size
from trainer.models.vocoder.excitation import pulse_train

BINS = features.FFT // 2 + 1

UNVOICED_PULSES = 0.03
"""Amplitude of the pulses in unvoiced frames at the start (-30 dB): audible only if training finds the decision wrong."""

VOICED_NOISE = 0.1
"""Amplitude of the noise in voiced frames at the start (-20 dB), about what a modal voice has below 4 kHz."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VocoderConfig(NetworkConfig):
    """Sizes of the network."""

    owner: ClassVar[str] = "a vocoder's"

    width: int = size(256, 2048)
    hidden: int = size(768, 8192)
    blocks: int = size(6, 64)
    kernel: int = size(7, 31)

    @property
    def least_weights(self) -> int:
        """A lower bound of the number of weights."""
        return 2 * self.blocks * self.width * self.hidden


class Vocoder(Network):
    """Mel, F0 and voicing to wave; see `forward` for shapes."""

    def __init__(self, config: VocoderConfig) -> None:
        super().__init__()
        self.config = config
        self.input = nn.Conv1d(features.MELS + 2, config.width, config.kernel, padding=config.kernel // 2)
        self.input_norm = nn.LayerNorm(config.width)
        self.blocks = nn.ModuleList(_block(config) for _ in range(config.blocks))
        self.output_norm = nn.LayerNorm(config.width)
        self.output = nn.Linear(config.width, 2 * BINS)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)
        self.register_buffer("interpolation", _mel_to_bins(), persistent=False)
        self.register_buffer("level", _excitation_level(), persistent=False)

    def forward(self, mel: torch.Tensor, f0: torch.Tensor, voicing: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """(batch, MELS, frames), (batch, frames) Hz, (batch, frames), (batch, (frames - 1) * HOP) -> (batch, (frames - 1) * HOP)."""
        return self.synthesise(mel, f0, voicing, noise, self.residual(mel, f0, voicing))

    def residual(self, mel: torch.Tensor, f0: torch.Tensor, voicing: torch.Tensor) -> torch.Tensor:
        """What training adds to both log envelopes: -> (batch, 2 * BINS, frames), pulses first."""
        # Centred and scaled by constants so that the inputs have about unit variance for speech at one loudness.
        pitch = 2.0 * torch.log(f0 / features.UNVOICED_F0_HZ)
        inputs = torch.cat([(mel + 5.0) / 2.0, pitch[:, None], 2.0 * voicing[:, None] - 1.0], dim=1)
        x = self.input_norm(self.input(inputs).transpose(1, 2))
        for block in self.blocks:
            x = block(x)
        return self.output(self.output_norm(x)).float().transpose(1, 2)

    def synthesise(
        self,
        mel: torch.Tensor,
        f0: torch.Tensor,
        voicing: torch.Tensor,
        noise: torch.Tensor,
        residual: torch.Tensor,
    ) -> torch.Tensor:
        """Filter pulses and noise by the start's envelopes plus `residual`, add, invert: shapes as `forward`."""
        envelope = self.interpolation @ mel - self.level
        voiced = torch.clamp(voicing[:, None], min=UNVOICED_PULSES)
        unvoiced = torch.clamp(1.0 - voicing[:, None], min=VOICED_NOISE)
        pulses = minimum_phase(envelope + torch.log(voiced) + residual[:, :BINS])
        aperiodic = torch.exp(envelope + torch.log(unvoiced) + residual[:, BINS:])
        spectrum = features.stft(pulse_train(f0)) * pulses + features.stft(noise) * aperiodic
        window = torch.hann_window(features.FFT, device=mel.device)
        return torch.istft(spectrum, features.FFT, features.HOP, window=window, center=True, length=noise.shape[1])


def _block(config: VocoderConfig) -> ConvNeXtBlock:
    return ConvNeXtBlock(config.width, config.hidden, config.kernel, gain=1.0 / config.blocks)


def minimum_phase(log_magnitude: torch.Tensor) -> torch.Tensor:
    """Complex spectrum with this log magnitude and minimum phase (Oppenheim and Schafer): (batch, BINS, frames) -> same, complex."""
    # The real cepstrum is folded onto positive quefrencies. Vocal tracts are close to minimum phase; pulses with zero phase buzz.
    cepstrum = torch.fft.irfft(log_magnitude, n=features.FFT, dim=1)
    fold = torch.zeros(features.FFT, device=log_magnitude.device)
    fold[0] = fold[features.FFT // 2] = 1.0
    fold[1 : features.FFT // 2] = 2.0
    return torch.exp(torch.fft.rfft(cepstrum * fold[:, None], dim=1))


def _mel_to_bins() -> torch.Tensor:
    # (BINS, MELS): linear interpolation of the log-mel spectrum at each bin's frequency; constant beyond the first and last band.
    bins = np.linspace(0.0, features.SAMPLE_RATE / 2, BINS)
    rows = [np.interp(bins, features.mel_centres_hz(), row) for row in np.eye(features.MELS)]
    return torch.from_numpy(np.stack(rows, axis=1).astype(np.float32))


def _excitation_level() -> torch.Tensor:
    # The log-mel that unit-power noise would have (mean of a Rayleigh magnitude), interpolated to bins: (BINS, 1).
    power = float(torch.hann_window(features.FFT).square().sum())
    mean_magnitude = (np.pi * power / 4) ** 0.5
    mel = torch.log(features.mel_filters().sum(dim=1, keepdim=True) * mean_magnitude)
    return _mel_to_bins() @ mel
