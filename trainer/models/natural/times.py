"""When each symbol of a known text is spoken: the recording is laid along the base's own rendering of the same text.

No other alphabet and no aligner of phones is needed: the base knows its symbols, and how they sound. Frames are compared as cepstra,
normalised over each speaker, with their first differences, so that it matters little who speaks.
"""

from __future__ import annotations

import numpy as np
import torch

from trainer.models.natural.measures import POWER_FLOOR

_CEPSTRA = 14
_STAY, _SKIP = 0.1, 0.15
"""Costs of a frame that repeats the rendering's, and of each one left out, in units of a frame's mean distance."""
_LONGEST_STEP = 4


class TimesError(Exception):
    """The text cannot have been spoken in so short a time."""


def observations(power: torch.Tensor) -> np.ndarray:
    """`mel_power` (MELS, frames) -> (text frames, 2 * _CEPSTRA), not yet normalised."""
    pairs = torch.log(power + POWER_FLOOR).unflatten(1, (-1, 2)).mean(2)
    cepstra = _cosines(power.shape[0]) @ pairs.numpy()
    return (
        np.concatenate([cepstra, np.gradient(cepstra, axis=1)]).T
        if cepstra.shape[1] > 1
        else np.zeros((1, 2 * _CEPSTRA))
    )


def normalised(of_one_speaker: list[np.ndarray]) -> list[np.ndarray]:
    """Each column with mean 0 and deviation 1 over all utterances together."""
    joined = np.concatenate(of_one_speaker)
    mean, deviation = joined.mean(axis=0), joined.std(axis=0) + 1e-6
    return [(one - mean) / deviation for one in of_one_speaker]


def align(recorded: np.ndarray, rendered: np.ndarray, symbol_frames: np.ndarray) -> tuple[np.ndarray, float]:
    """(T, D), (S, D), and how many of the S frames each symbol has (P,) -> ((P,) of the T frames, mean distance on the way).

    The cheapest way from the first frame to the last that passes through every symbol. Raises TimesError where there is none.
    """
    symbols = np.repeat(np.arange(len(symbol_frames)), symbol_frames)
    distance = np.sqrt(np.maximum(_squares(recorded)[:, None] + _squares(rendered) - 2 * recorded @ rendered.T, 0.0))
    distance = (distance / distance.mean()).astype(np.float32)
    came_from = _ways(distance, symbols)
    state = len(symbols) - 1
    path = np.empty(len(recorded), dtype=np.int64)
    for frame in range(len(recorded) - 1, -1, -1):
        path[frame] = state
        state -= int(came_from[frame, state])
    return np.bincount(symbols[path], minlength=len(symbol_frames)), float(distance[np.arange(len(path)), path].mean())


def _ways(distance: np.ndarray, symbols: np.ndarray) -> np.ndarray:
    """By how many frames of the rendering the cheapest way comes from before, for every pair of frames: (T, S) int8."""
    frames, states = distance.shape
    steps = np.arange(_LONGEST_STEP + 1)
    price = np.where(steps == 0, _STAY, _SKIP * np.maximum(steps - 1, 0)).astype(np.float32)
    # A step may not leave out a whole symbol.
    allowed = np.full((len(steps), states), np.inf, dtype=np.float32)
    for step in steps:
        reached = symbols[step:] - symbols[: states - step] <= 1
        allowed[step, step:][reached] = price[step]
    best = np.full(states, np.inf, dtype=np.float32)
    best[0] = distance[0, 0]
    came_from = np.zeros((frames, states), dtype=np.int8)
    for frame in range(1, frames):
        offers = np.full((len(steps), states), np.inf, dtype=np.float32)
        for step in steps:
            offers[step, step:] = best[: states - step]
        offers += allowed
        came_from[frame] = offers.argmin(axis=0)
        best = offers.min(axis=0) + distance[frame]
    if not np.isfinite(best[-1]):
        raise TimesError(f"{len(symbols)} frames of text cannot be laid along {frames} frames of sound")
    return came_from


def _squares(rows: np.ndarray) -> np.ndarray:
    return np.square(rows).sum(axis=1)


def _cosines(bands: int) -> np.ndarray:
    # (_CEPSTRA, bands), without the mean: loudness is no matter of text.
    places = (np.arange(bands) + 0.5) / bands
    return np.cos(np.pi * np.arange(1, _CEPSTRA + 1)[:, None] * places)
