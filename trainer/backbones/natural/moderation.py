"""How much of what the decoder learnt a voice takes over, layer by layer.

Three minutes of speech teach the early layers habits that a listener does not want and that make nobody more alike; the last layer is what
gives a voice its colour, and a short training leaves it short of its goal. The weights lie on the line through base and voice (Wortsman et al.
2022). The shares were chosen on 20 sentences of one reader and three trainings: the model card has what they give on 40 others.
"""

from __future__ import annotations

import copy

import torch
from torch import nn

from trainer.models.natural import NaturalModel

_SHARE_OF_BLOCKS = (0.8, 0.4, 1.0, 1.0)
"""Of each quarter of the decoder's blocks, the first one nearest to the text."""
_SHARE_OF_OUTPUT = 1.2
"""Above 1: beyond what was learnt, in the same direction."""


@torch.no_grad()
def moderated(base: NaturalModel, learnt: NaturalModel) -> NaturalModel:
    """The voice between `base` and `learnt`, a new model in evaluation mode; only its decoder is not that of `learnt`."""
    model = copy.deepcopy(learnt).eval()
    blocks = len(model.decoder.blocks)
    for index, (ours, theirs) in enumerate(zip(model.decoder.blocks, base.decoder.blocks, strict=True)):
        _take(ours, theirs, _SHARE_OF_BLOCKS[index * len(_SHARE_OF_BLOCKS) // blocks])
    _take(model.decoder.output, base.decoder.output, _SHARE_OF_OUTPUT)
    return model


def _take(ours: nn.Module, theirs: nn.Module, share: float) -> None:
    if share == 1.0:  # not even the rounding of what was learnt changes
        return
    for learnt, start in zip(ours.parameters(), theirs.parameters(), strict=True):
        learnt.copy_(torch.lerp(start, learnt, share))
