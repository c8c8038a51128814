"""Learning the aligner's Gaussians: from utterances with known times, and by maximum a posteriori re-estimation for one speaker.

MAP smoothing as in Gauvain and Lee (1994): the prior counts as `PRIOR_FRAMES` frames of every state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from trainer.models.aligner.align import AlignmentError, confidence, place
from trainer.models.aligner.model import STATES, STATES_PER_PHONE, Aligner, phone_index
from trainer.models.aligner.observations import DIMENSIONS, normalisation, observe
from trainer.text.words import Word

PRIOR_FRAMES = 20.0
ROUNDS = 4
_MIN_VARIANCE = 0.02
_MIN_CONFIDENCE = 0.05
_SPLIT = 0.2  # a mixture component becomes two, this many deviations apart
_EM_ROUNDS = 4

Labelled = tuple[np.ndarray, Sequence[tuple[str, int]]]
"""Normalised observations (frames, DIMENSIONS), and (symbol, frames) in their order; the frames add up."""


def adapt(
    utterances: Sequence[tuple[torch.Tensor, Sequence[Word]]], aligner: Aligner, *, rounds: int = ROUNDS
) -> Aligner:
    """The aligner re-estimated on one speaker's utterances, mel (MELS, frames) and words; those that do not fit are left out of each round."""
    if not utterances:
        return aligner
    observed = [observe(mel) for mel, _ in utterances]
    statistics = normalisation(observed)
    normal = [statistics.apply(each) for each in observed]
    current = _reestimated(normal, [words for _, words in utterances], aligner, rounds)
    return replace(current, normalisation=statistics)


def adapt_pooled(
    utterances: Sequence[tuple[torch.Tensor, Sequence[Word]]], aligner: Aligner, *, rounds: int = ROUNDS
) -> Aligner:
    """As `adapt` for many speakers with one utterance each: every utterance is normalised by itself, and so will others be."""
    normal = [normalisation([each]).apply(each) for each in (observe(mel) for mel, _ in utterances)]
    return _reestimated(normal, [words for _, words in utterances], aligner, rounds)


def _reestimated(normal: Sequence[np.ndarray], words: Sequence[Sequence[Word]], prior: Aligner, rounds: int) -> Aligner:
    current = prior
    for _ in range(rounds):
        counted = _Counts(current)
        for each, said in zip(normal, words, strict=True):
            path = _trusted_path(each, said, current)
            if path is not None:
                counted.add(each, path)
        current = counted.smoothed(prior)
    return current


def _trusted_path(observed: np.ndarray, words: Sequence[Word], aligner: Aligner) -> np.ndarray | None:
    """Model state (frames,) of the best path, or None for words that were not spoken."""
    try:
        placed = place(observed, words, aligner)
    except AlignmentError:
        return None
    return placed.graph.models[placed.path] if confidence(placed.score) >= _MIN_CONFIDENCE else None


class _Counts:
    """Zeroth, first and second moments of the observations of every mixture component, and how often states are left."""

    def __init__(self, aligner: Aligner) -> None:
        self._aligner = aligner
        mixtures = aligner.weights.shape[1]
        self._frames = np.zeros((STATES, mixtures))
        self._sums = np.zeros((STATES, mixtures, DIMENSIONS))
        self._squares = np.zeros((STATES, mixtures, DIMENSIONS))
        self._visits = np.zeros(STATES)

    def add(self, observed: np.ndarray, states: np.ndarray) -> None:
        """Count frames (n, DIMENSIONS) whose states (n,) are known."""
        joint = self._aligner.component_log_likelihood(observed)[np.arange(len(states)), states]
        shares = np.exp(joint - joint.max(axis=1, keepdims=True)).astype(np.float64)
        shares /= shares.sum(axis=1, keepdims=True)
        spread = np.zeros((len(states), *self._frames.shape))  # a matrix product is far faster than adding at indices
        spread[np.arange(len(states)), states] = shares
        spread = spread.reshape(len(states), -1)
        by_component, values = torch.from_numpy(spread).T, torch.from_numpy(observed.astype(np.float64))
        self._frames += spread.sum(axis=0).reshape(self._frames.shape)
        self._sums += (by_component @ values).numpy().reshape(self._sums.shape)
        self._squares += (by_component @ values.square()).numpy().reshape(self._sums.shape)
        entered = np.flatnonzero(np.append(True, states[1:] != states[:-1]))
        np.add.at(self._visits, states[entered], 1.0)

    def smoothed(self, prior: Aligner, prior_frames: float = PRIOR_FRAMES) -> Aligner:
        """Gaussians of the counts towards `prior`."""
        prior_share = prior_frames * prior.weights.astype(np.float64)
        total = (self._frames + prior_share)[:, :, None]
        means = (self._sums + prior_share[:, :, None] * prior.means) / np.maximum(total, 1e-9)
        second = prior_share[:, :, None] * (prior.variances + prior.means.astype(np.float64) ** 2)
        variances = np.maximum((self._squares + second) / np.maximum(total, 1e-9) - means**2, _MIN_VARIANCE)
        frames = self._frames.sum(axis=1)
        visits = self._visits + prior_frames * (1.0 - prior.stay)
        return Aligner(
            means=means.astype(np.float32),
            variances=variances.astype(np.float32),
            weights=(total[:, :, 0] / total[:, :, 0].sum(axis=1, keepdims=True)).astype(np.float32),
            stay=np.clip(1.0 - visits / (frames + prior_frames), 0.05, 0.98).astype(np.float32),
        )


def estimate(utterances: Sequence[Labelled], *, mixtures: int = 1, rounds: int = 4) -> Aligner:
    """An aligner from utterances with known times; `mixtures` is a power of two."""
    aligner = _single_gaussians(utterances, [_halves(labels) for _, labels in utterances])
    for _ in range(rounds):
        aligner = _single_gaussians(utterances, [_best_cuts(each, labels, aligner) for each, labels in utterances])
    while aligner.weights.shape[1] < mixtures:
        aligner = _doubled(aligner)
        for _ in range(_EM_ROUNDS):
            counted = _Counts(aligner)
            for each, labels in utterances:
                counted.add(each, _best_cuts(each, labels, aligner))
            aligner = counted.smoothed(aligner, prior_frames=2.0)
    return aligner


def _single_gaussians(utterances: Sequence[Labelled], states: Sequence[np.ndarray]) -> Aligner:
    everything = np.concatenate([each for each, _ in utterances])
    flat = Aligner(
        means=np.broadcast_to(everything.mean(axis=0), (STATES, 1, DIMENSIONS)).astype(np.float32),
        variances=np.broadcast_to(everything.var(axis=0), (STATES, 1, DIMENSIONS)).astype(np.float32),
        weights=np.ones((STATES, 1), np.float32),
        stay=np.full(STATES, 0.75, np.float32),
    )
    counted = _Counts(flat)
    for (each, _), path in zip(utterances, states, strict=True):
        counted.add(each, path)
    return counted.smoothed(flat, prior_frames=2.0)


def _halves(labels: Sequence[tuple[str, int]]) -> np.ndarray:
    """State (frames,) where every phone spends equal time in its states."""
    parts = []
    for symbol, frames in labels:
        within = np.arange(frames) * STATES_PER_PHONE // max(1, frames)
        parts.append(STATES_PER_PHONE * phone_index(symbol) + within)
    return np.concatenate(parts)


def _best_cuts(observed: np.ndarray, labels: Sequence[tuple[str, int]], aligner: Aligner) -> np.ndarray:
    """State (frames,) where every phone goes from its first to its second state at the most likely frame."""
    emission = aligner.log_likelihood(observed)
    parts = []
    start = 0
    for symbol, frames in labels:
        state = STATES_PER_PHONE * phone_index(symbol)
        gain = emission[start : start + frames, state] - emission[start : start + frames, state + 1]
        # At least one frame each where there are two.
        cut = 1 + int(np.argmax(np.cumsum(gain)[:-1])) if frames > 1 else frames
        parts.append(state + (np.arange(frames) >= cut))
        start += frames
    return np.concatenate(parts)


def _doubled(aligner: Aligner) -> Aligner:
    shift = _SPLIT * np.sqrt(aligner.variances)
    return Aligner(
        means=np.concatenate([aligner.means - shift, aligner.means + shift], axis=1),
        variances=np.concatenate([aligner.variances] * 2, axis=1),
        weights=np.concatenate([aligner.weights] * 2, axis=1) / 2.0,
        stay=aligner.stay,
    )
