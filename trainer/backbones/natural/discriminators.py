"""Networks that tell recorded speech from what the decoder makes, each at one resolution of the spectrum (Jang et al. 2021).

They start from nothing and are thrown away with the training: no voice needs them. Begun from ones that had already learnt on the same voice
for as long, 120 steps gave the same scores (LJ, 12 sentences: similarity 0.824, P808 3.84), so none are shipped.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from trainer.backbones.natural import losses

_RESOLUTIONS = ((2048, 480), (1024, 240), (512, 120))
"""FFT size and hop in samples."""
_CHANNELS = 16
_LAYERS = ((3, 9), (1, 2)), ((3, 5), (1, 2)), ((3, 5), (1, 2)), ((3, 3), (1, 1))
"""Kernel and stride over frames and bins. Small, because a step spends most of its time here."""
_SLOPE = 0.1

Heard = list[list[torch.Tensor]]
"""For each network: what every layer makes of a batch, the last one its judgement (above 0: speech)."""


class Discriminators(nn.Module):
    """All resolutions together."""

    def __init__(self) -> None:
        super().__init__()
        self.networks = nn.ModuleList(_Discriminator(fft, hop) for fft, hop in _RESOLUTIONS)

    def forward(self, wave: torch.Tensor, highest_hz: float) -> Heard:
        """(batch, samples) -> what is heard in it up to `highest_hz`: above it no recording could be told from an imitation fairly."""
        return [network(wave, highest_hz) for network in self.networks]


class _Discriminator(nn.Module):
    def __init__(self, fft: int, hop: int) -> None:
        super().__init__()
        self.fft, self.hop = fft, hop
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(channels, _CHANNELS, kernel, stride, padding=(kernel[0] // 2, kernel[1] // 2)))
            for channels, (kernel, stride) in zip((1, *[_CHANNELS] * len(_LAYERS)), _LAYERS, strict=False)
        )
        self.judgement = weight_norm(nn.Conv2d(_CHANNELS, 1, (3, 3), padding=(1, 1)))

    def forward(self, wave: torch.Tensor, highest_hz: float) -> list[torch.Tensor]:
        window = torch.hann_window(self.fft)
        # Whole windows only: the click at a padded end would carry what lies above the band into it.
        spectrum = torch.stft(wave, self.fft, self.hop, window=window, center=False, return_complex=True)
        spectrum = spectrum[:, : losses.bins(self.fft, highest_hz)]
        # (batch, 1, frames, bins): the logarithm, centred by hand, shows quiet sounds as well as loud ones.
        power = spectrum.real.square() + spectrum.imag.square()
        x = (0.5 * torch.log(power.clamp(min=1e-6)).transpose(1, 2)[:, None] + 3.0) / 3.0
        heard = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), _SLOPE)
            heard.append(x)
        return [*heard, self.judgement(x)]


def telling_loss(speech: Heard, imitation: Heard) -> torch.Tensor:
    """What the discriminators lower: hinge loss on their judgements."""
    found = [
        F.relu(1.0 - real[-1]).mean() + F.relu(1.0 + made[-1]).mean()
        for real, made in zip(speech, imitation, strict=True)
    ]
    return _mean(found)


def deceiving_loss(imitation: Heard) -> torch.Tensor:
    """What the decoder lowers to be taken for speech."""
    return _mean([-made[-1].mean() for made in imitation])


def matching_loss(speech: Heard, imitation: Heard) -> torch.Tensor:
    """Mean distance of what the layers make of both, in units of what they make of speech."""
    found = [
        F.l1_loss(ours, theirs.detach()) / theirs.detach().abs().mean().clamp(min=1e-3)
        for real, made in zip(speech, imitation, strict=True)
        for theirs, ours in zip(real[:-1], made[:-1], strict=True)
    ]
    return _mean(found)


def _mean(values: Sequence[torch.Tensor]) -> torch.Tensor:
    return torch.stack(list(values)).mean()
