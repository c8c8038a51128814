"""The one block that the whole acoustic model is built of.

A full convolution written as a matrix product over shifted copies: on CPUs this trains several times faster than a depthwise one,
whose gradient is not fast anywhere. Speaker conditioning by FiLM (Perez et al. 2018) in every norm.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    """Norm with the speaker's scale and shift, convolution to `hidden`, GELU, back to `width`, learnt gain, residual."""

    def __init__(
        self, width: int, hidden: int, kernel: int, dilation: int, speaker: int, dropout: float, gain: float
    ) -> None:
        super().__init__()
        self.offsets = [dilation * (tap - kernel // 2) for tap in range(kernel)]
        self.reach = dilation * (kernel // 2)
        self.width = width
        self.film = nn.Linear(speaker, 2 * width)
        self.expand = nn.Linear(kernel * width, hidden)
        self.contract = nn.Linear(hidden, width)
        self.gain = nn.Parameter(torch.full((width,), gain))
        self.dropout = nn.Dropout(dropout)
        nn.init.normal_(self.film.weight, std=0.02)
        nn.init.zeros_(self.film.bias)

    def forward(self, x: torch.Tensor, speaker: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(batch, length, width), (batch, speaker), (batch, length, 1) with 0 on padding -> (batch, length, width)."""
        scale, shift = self.film(speaker)[:, None].chunk(2, dim=2)
        y = (F.layer_norm(x, (self.width,)) * (1.0 + scale) + shift) * mask
        y = F.gelu(self.expand(shifted(y, self.offsets, self.reach)), approximate="tanh")
        return x + self.gain * self.contract(self.dropout(y))


def shifted(x: torch.Tensor, offsets: list[int], reach: int) -> torch.Tensor:
    """(batch, length, width) -> (batch, length, len(offsets) * width): every place beside its neighbours, zeros beyond the ends."""
    length = x.shape[1]
    padded = F.pad(x, (0, 0, reach, reach))
    return torch.cat([padded[:, reach + offset : reach + offset + length] for offset in offsets], dim=2)


class Stack(nn.ModuleList):
    """Blocks in a row with the given dilations."""

    def __init__(
        self, width: int, hidden: int, kernel: int, dilations: tuple[int, ...], speaker: int, dropout: float
    ) -> None:
        gain = 1.0 / len(dilations)
        super().__init__(Block(width, hidden, kernel, dilation, speaker, dropout, gain) for dilation in dilations)

    def forward(self, x: torch.Tensor, speaker: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Shapes as `Block.forward`."""
        for block in self:
            x = block(x, speaker, mask)
        return x
