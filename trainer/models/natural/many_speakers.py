"""A decoder that many readers taught, and what it makes of a speaker's vector: scale and shift of its norms (FiLM, Perez et al. 2018).

The vector is GE2E's, less the mean of the readers'. A speaker's share of a norm is folded into its weights, so that the decoder of one speaker
is a plain `NaturalDecoder`: a voice needs neither the vector nor this module.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import nn

from trainer.models.natural.model import NaturalConfig, NaturalDecoder
from trainer.models.network import Network
from trainer.models.speaker_encoder import DIMENSIONS


class ManySpeakers(Network):
    """The decoder, one linear map for each of its norms, and the readers' mean vector (256,)."""

    centre: torch.Tensor

    def __init__(self, config: NaturalConfig) -> None:
        super().__init__()
        self.config = config
        self.decoder = NaturalDecoder(config)
        self.maps = nn.ModuleList(nn.Linear(DIMENSIONS, 2 * config.width) for _ in range(config.blocks + 1))
        self.register_buffer("centre", torch.zeros(DIMENSIONS))
        for one in self.maps.parameters():  # every speaker then sounds as the decoder does
            nn.init.zeros_(one)

    @contextmanager
    def speaking_as(self, vectors: torch.Tensor) -> Iterator[NaturalDecoder]:
        """(batch, 256) -> the decoder, which in the block speaks the first of a batch as the first of them, and so on."""
        centred = vectors - self.centre
        with ExitStack() as hooks:
            for norm, one in zip(_norms(self.decoder), self.maps, strict=True):
                scale, shift = one(centred)[:, None].chunk(2, dim=-1)
                hook = norm.register_forward_hook(lambda _, __, found, a=scale, b=shift: found * (1 + a) + b)
                hooks.callback(hook.remove)
            yield self.decoder

    @torch.no_grad()
    def told(self, vector: torch.Tensor) -> NaturalDecoder:
        """A speaker's vector (256,) of length 1 -> a new decoder that speaks as this speaker."""
        decoder = copy.deepcopy(self.decoder)
        for norm, one in zip(_norms(decoder), self.maps, strict=True):
            scale, shift = one(vector - self.centre).chunk(2)
            norm.bias.copy_(norm.bias * (1 + scale) + shift)
            norm.weight.mul_(1 + scale)
        return decoder


def _norms(decoder: NaturalDecoder) -> list[nn.LayerNorm]:
    return [*(block.norm for block in decoder.blocks), decoder.norm]  # type: ignore[misc]  # a ModuleList says Module
