"""The natural model for speaking: sentence after sentence, each of a length of its own; the same weights, cheaper kernels.

A library of convolutions compiles a kernel for every new length, and that takes longer than the convolution. Here a depthwise one is
a multiplication and an addition for each tap, and the decoder's dense one a product of matrices.
"""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.nn import functional as F

from trainer.models.natural.model import NaturalModel

_ALIGNED = 16
"""Columns of a product of matrices: where rows end elsewhere, it takes almost twice as long."""


def prepared(model: NaturalModel) -> NaturalModel:
    """A copy that says what `model` says now, and shares its weights; it cannot be trained.

    Times and melody are the same to the last bit: an error of F0 would add up in the phase of the pulses. Spectra differ by rounding.
    """
    found = copy.deepcopy(model, {id(weights): weights for weights in model.parameters()})
    for parent in list(found.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, nn.Conv1d) and layer.groups > 1:
                setattr(parent, name, _Depthwise(layer))
    found.decoder.input = _Dense(found.decoder.input)
    found.decoder.output = _Aligned(found.decoder.output)
    return found


class _Depthwise(nn.Module):
    """Conv1d whose channels do not mix: (1, width, frames) -> same."""

    def __init__(self, layer: nn.Conv1d) -> None:
        super().__init__()
        self.reach, self.dilation = int(layer.padding[0]), layer.dilation[0]
        self.taps, self.bias = layer.weight.detach()[:, 0].T.contiguous(), layer.bias
        # The library adds in this order, and sums of real numbers depend on it.
        self.bias_last = self.reach >= layer.kernel_size[0]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(1, width, frames) -> same."""
        frames = x.shape[2]
        padded = F.pad(x.transpose(1, 2), (0, 0, self.reach, self.reach))
        first = padded[:, :frames]
        y = first * self.taps[0] if self.bias_last else torch.addcmul(self.bias, first, self.taps[0])
        for place, tap in enumerate(self.taps[1:], start=1):
            y.addcmul_(padded[:, place * self.dilation :][:, :frames], tap)
        if self.bias_last:
            y += self.bias
        return y.transpose(1, 2)


class _Dense(nn.Module):
    """Conv1d over all channels: (1, width, frames) -> (1, other width, frames)."""

    def __init__(self, layer: nn.Conv1d) -> None:
        super().__init__()
        self.reach, self.kernel = int(layer.padding[0]), layer.kernel_size[0]
        self.weight, self.bias = layer.weight.detach().permute(0, 2, 1).flatten(1).contiguous(), layer.bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(1, width, frames) -> (1, other width, frames)."""
        frames = F.pad(x[0], (self.reach, self.reach)).T.contiguous()
        seen = frames.unfold(0, self.kernel, 1).transpose(1, 2).flatten(1)  # (frames, kernel * width)
        return F.linear(seen, self.weight, self.bias).T[None]


class _Aligned(nn.Module):
    """Linear, computed with a few columns more: (1, frames, width) -> (1, frames, other width)."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.columns = layer.out_features
        more = -self.columns % _ALIGNED
        self.weight = F.pad(layer.weight.detach().T, (0, more)).contiguous()
        self.bias = F.pad(layer.bias.detach(), (0, more))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(1, frames, width) -> (1, frames, other width)."""
        return torch.addmm(self.bias, x[0], self.weight)[None, :, : self.columns]
