"""The block of which the networks of this project are built: ConvNeXt (Liu et al. 2022), for sequences."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F


class ConvNeXtBlock(nn.Module):
    """Depthwise convolution over time, layer norm, two-layer perceptron, learnt gain, residual: (batch, frames, width) -> same."""

    def __init__(self, width: int, hidden: int, kernel: int, *, gain: float, dilation: int = 1) -> None:
        super().__init__()
        reach = dilation * (kernel // 2)
        self.depthwise = nn.Conv1d(width, width, kernel, padding=reach, groups=width, dilation=dilation)
        self.norm = nn.LayerNorm(width)
        self.expand = nn.Linear(width, hidden)
        self.contract = nn.Linear(hidden, width)
        self.gain = nn.Parameter(torch.full((width,), gain))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, frames, width) -> same."""
        y = self.depthwise(x.transpose(1, 2)).transpose(1, 2)
        return x + self.gain * self.contract(F.gelu(self.expand(self.norm(y))))
