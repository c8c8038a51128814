"""MusicGen's delay pattern (Copet et al. 2023, section 2.2): codebook k speaks k steps late, so that one step predicts one token of each.

With three codebooks and frames a, b (`-` is the start token on the input side, ignored on the label side):

    input   - a b - -      label   a b . .
            - - a b -              . a b .
            - - - a b              . . a b   (the last input column predicts nothing)
"""

from __future__ import annotations

import torch

IGNORED = -100


def arrange(codes: torch.Tensor, *, start_token: int) -> tuple[torch.Tensor, torch.Tensor]:
    """(codebooks, frames) -> inputs and labels, both (codebooks, frames + codebooks - 1) int64; labels outside the speech are IGNORED."""
    codebooks, frames = codes.shape
    labels = torch.full((codebooks, frames + codebooks - 1), IGNORED, dtype=torch.int64)
    for codebook in range(codebooks):
        labels[codebook, codebook : codebook + frames] = codes[codebook]
    inputs = torch.full_like(labels, start_token)
    inputs[:, 1:] = torch.where(labels[:, :-1] == IGNORED, start_token, labels[:, :-1])
    return inputs, labels


def cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean over codebooks of each one's mean over its tokens: (codebooks, length, tokens) and (codebooks, length) -> ()."""
    # Every codebook has as many tokens as there are frames, so the mean over all of them is the mean of the means.
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1).float(), labels.flatten(), ignore_index=IGNORED)
