"""What text and melody are made of: an encoder of symbols whose one attention layer is applied several times."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from trainer.models.convnext import ConvNeXtBlock

HEADS = 2
_CONVOLUTIONS, _KERNEL = 2, 5
_START_GAIN = 0.1


class TextEncoder(nn.Module):
    """Symbols in their context: embedding, two ConvNeXt blocks, one attention layer applied `rounds` times, layer norm."""

    def __init__(self, symbols: int, width: int, rounds: int) -> None:
        super().__init__()
        self.rounds = rounds
        self.embedding = nn.Embedding(symbols, width)
        self.blocks = nn.ModuleList(
            ConvNeXtBlock(width, 2 * width, _KERNEL, gain=_START_GAIN) for _ in range(_CONVOLUTIONS)
        )
        self.attention = AttentionLayer(width)
        self.norm = nn.LayerNorm(width)

    def forward(self, symbols: torch.Tensor) -> torch.Tensor:
        """(batch, symbols) int64 -> (batch, symbols, width)."""
        x = self.embedding(symbols)
        for block in self.blocks:
            x = block(x)
        for _ in range(self.rounds):
            x = self.attention(x)
        return self.norm(x)


class AttentionLayer(nn.Module):
    """Self-attention and a perceptron, each behind a layer norm and added (pre-norm transformer): (batch, symbols, width) -> same."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.projections = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)
        self.expand = nn.Linear(width, 2 * width)
        self.contract = nn.Linear(2 * width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, symbols, width) -> same."""
        batch, symbols, width = x.shape
        parts = self.projections(self.attention_norm(x)).reshape(batch, symbols, 3, HEADS, width // HEADS)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        heard = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).reshape(batch, symbols, width)
        x = x + self.output(heard)
        return x + self.contract(F.gelu(self.expand(self.norm(x))))
