"""The network of the natural voices: symbols to times, melody and loudness, and those to spectra.

Its graph is that of hibari-tts 0.2.1 (Apache-2.0), read from the ONNX file; see trainer/voice/natural/NOTICE.txt. A symbol lasts a
whole number of text frames (25 ms); melody, loudness and spectra have two frames for each of them (12.5 ms).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

from trainer.models.convnext import ConvNeXtBlock
from trainer.models.natural.layers import HEADS, TextEncoder
from trainer.models.natural.sound import Spectra
from trainer.models.natural.speak import BINS, FRAMES_PER_TEXT_FRAME, IMMENSE, SPECTRA
from trainer.models.network import Network, NetworkConfig, size

ENERGY_ROWS = slice(FRAMES_PER_TEXT_FRAME, 2 * FRAMES_PER_TEXT_FRAME)
"""Of the melody's last layer."""
_DILATIONS = (1, 2, 4, 8, 1, 2)
"""Of the melody's blocks: they reach over 1.5 s."""
_F0_UNIT_HZ = 100.0
ENERGY_UNIT = 5.0
_LOG_F0_UNIT = 5.0
_START_GAIN = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class NaturalConfig(NetworkConfig):
    """Sizes of the network."""

    owner: ClassVar[str] = "a natural voice's"

    symbols: int = size(178, 1024)
    text_width: int = size(128, 1024)
    text_rounds: int = size(4, 16)
    melody_width: int = size(192, 1024)
    melody_rounds: int = size(6, 16)
    width: int = size(256, 2048)
    hidden: int = size(768, 8192)
    blocks: int = size(8, 64)
    kernel: int = size(7, 31)

    @property
    def least_weights(self) -> int:
        """A lower bound of the number of weights."""
        text = self.symbols * (self.text_width + self.melody_width) + 8 * self.text_width**2 + 8 * self.melody_width**2
        return text + 2 * self.blocks * self.width * self.hidden + 5 * BINS * self.width


class Melody(NamedTuple):
    """(batch, frames) each: F0 in Hz (below 40: unvoiced) and log energy."""

    f0: torch.Tensor
    energy: torch.Tensor


class NaturalModel(Network):
    """Three networks side by side: `melody` (times, F0, energy), `text` and `decoder`; nothing is shared but the symbols."""

    def __init__(self, config: NaturalConfig) -> None:
        super().__init__()
        if config.text_width % HEADS or config.melody_width % HEADS:
            raise ValueError(f"a text encoder's width is not a multiple of {HEADS}")
        self.config = config
        self.text = TextEncoder(config.symbols, config.text_width, config.text_rounds)
        self.melody = MelodyNetwork(config)
        self.decoder = NaturalDecoder(config)

    def decode(self, symbols: torch.Tensor, frames: torch.Tensor, melody: Melody) -> Spectra:
        """One utterance: (P,) int64, (P,) int64 text frames, melody of batch 1 -> spectra of batch 1."""
        return self.decoder(spread(self.text(symbols[None]), frames), melody)


class MelodyNetwork(nn.Module):
    """How long each symbol lasts, and the melody of the sentence."""

    def __init__(self, config: NaturalConfig) -> None:
        super().__init__()
        width = config.melody_width
        self.text = TextEncoder(config.symbols, width, config.melody_rounds)
        self.duration_hidden = nn.Conv1d(width, width, 3, padding=1)
        self.duration = nn.Linear(width, 1)
        self.input = nn.Linear(width, width)
        self.blocks = nn.ModuleList(
            ConvNeXtBlock(width, 2 * width, config.kernel, gain=_START_GAIN, dilation=dilation)
            for dilation in _DILATIONS
        )
        self.output = nn.Linear(width, 2 * FRAMES_PER_TEXT_FRAME)

    def times(self, encoded: torch.Tensor) -> torch.Tensor:
        """(1, P, width) of `text` -> (P,) text frames as real numbers, at rate 1."""
        return torch.exp(self.duration(self.pace(encoded))[0, :, 0]) - 1.0

    def pace(self, encoded: torch.Tensor) -> torch.Tensor:
        """(1, P, width) of `text` -> (1, P, width), what the times are read from."""
        return F.gelu(self.duration_hidden(encoded.transpose(1, 2))).transpose(1, 2)

    def forward(self, encoded: torch.Tensor, frames: torch.Tensor) -> Melody:
        """(1, P, width) of `text` and (P,) text frames -> melody."""
        return self.of_text_frames(encoded.repeat_interleave(frames, dim=1))

    def of_text_frames(self, encoded: torch.Tensor) -> Melody:
        """(1, T, width) of `text`, each symbol for as long as it lasts -> melody."""
        # Each text frame gives F0 twice, then energy twice (ENERGY_ROWS).
        said = self.output(self.contour(encoded))
        pairs = said.unflatten(2, (2, FRAMES_PER_TEXT_FRAME)).permute(0, 2, 1, 3).flatten(2)
        return Melody(f0=_F0_UNIT_HZ * pairs[:, 0], energy=ENERGY_UNIT * pairs[:, 1])

    def contour(self, encoded: torch.Tensor) -> torch.Tensor:
        """As `of_text_frames` -> (1, T, width), what F0 and energy are read from."""
        x = self.input(encoded)
        for block in self.blocks:
            x = block(x)
        return x


class NaturalDecoder(nn.Module):
    """Text and melody of every frame to its spectra."""

    def __init__(self, config: NaturalConfig) -> None:
        super().__init__()
        self.input = nn.Conv1d(config.text_width + 2, config.width, config.kernel, padding=config.kernel // 2)
        self.blocks = nn.ModuleList(
            ConvNeXtBlock(config.width, config.hidden, config.kernel, gain=_START_GAIN) for _ in range(config.blocks)
        )
        self.norm = nn.LayerNorm(config.width)
        self.output = nn.Linear(config.width, SPECTRA * BINS)

    def forward(self, text: torch.Tensor, melody: Melody) -> Spectra:
        """(batch, frames, text_width) as `spread` gives it, and melody -> spectra."""
        return Spectra(*self.joined(text, melody).transpose(1, 2).split(BINS, dim=1))

    def joined(self, text: torch.Tensor, melody: Melody) -> torch.Tensor:
        """The same in one tensor, (batch, frames, SPECTRA * BINS)."""
        f0 = torch.log1p(F.relu(melody.f0)) / _LOG_F0_UNIT
        x = torch.cat([text.transpose(1, 2), f0[:, None], melody.energy[:, None] / ENERGY_UNIT], dim=1)
        x = self.input(x).transpose(1, 2)
        for block in self.blocks:
            x = block(x)
        return self.output(self.norm(x))


def spread(encoded: torch.Tensor, frames: torch.Tensor) -> torch.Tensor:
    """(1, P, width) and (P,) text frames -> (1, frames, width): each symbol for as long as it lasts."""
    return encoded.repeat_interleave(FRAMES_PER_TEXT_FRAME * frames, dim=1)


def whole_frames(times: torch.Tensor) -> torch.Tensor:
    """(P,) text frames as real numbers -> (P,) int64; every symbol lasts at least one."""
    # A broken voice's times may be NaN or too large to be summed; they become the least or the limit.
    return torch.round(times).nan_to_num(nan=0.0).clamp(min=1.0, max=IMMENSE).long()
