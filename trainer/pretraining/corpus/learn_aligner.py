"""The aligner that is shipped: Gaussians from flite's own phone times, moved to human speech."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from trainer.models.aligner import Aligner
from trainer.models.aligner.estimate import Labelled, adapt_pooled, estimate
from trainer.models.aligner.observations import normalisation, observe
from trainer.pretraining.corpus import people, shards
from trainer.text.phones import PAUSES, SILENCE, SYMBOLS

_POOL_ROUNDS = 3
MIXTURES = 2
"""Boundary error on a voice left out (40 sentences, adapted): 1, 2 and 4 Gaussians a state gave 7.1, 6.7 and 6.9 ms; two keep
right and wrong transcripts of a human reader farthest apart."""


def learn(paths: Sequence[Path], clips: Sequence[people.Clip]) -> Aligner:
    """From timed shards and, where there are some, recognised human clips."""
    aligner = estimate(labelled(paths), mixtures=MIXTURES)
    understood = [(clip.found.mel, clip.words) for clip in clips if clip.words]
    return adapt_pooled(understood, aligner, rounds=_POOL_ROUNDS) if understood else aligner


def labelled(paths: Sequence[Path]) -> list[Labelled]:
    """Observations, normalised per speaker, and labels of all utterances of some shards."""
    by_speaker: dict[str, list[tuple[np.ndarray, list[tuple[str, int]]]]] = defaultdict(list)
    for each in shards.utterances(paths):
        by_speaker[each["speaker"]].append((observe(each["mel"]), _labels(each["symbols"], each["frames"])))
    found: list[Labelled] = []
    for group in by_speaker.values():
        statistics = normalisation([observed for observed, _ in group])
        found.extend((statistics.apply(observed), labels) for observed, labels in group)
    return found


def _labels(symbols: torch.Tensor, frames: torch.Tensor) -> list[tuple[str, int]]:
    names = (SYMBOLS[number] for number in symbols.tolist())
    return [
        (SILENCE if name in PAUSES else name, count)
        for name, count in zip(names, frames.tolist(), strict=True)
        if count
    ]
