"""A mean and how far it can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_RESAMPLES = 1000
_INTERVAL = (2.5, 97.5)
_BOOTSTRAP_SEED = 20_260


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A mean, and the bounds of its 95 % bootstrap interval over clips."""

    value: float
    low: float
    high: float


def estimate(values: Sequence[float], weights: Sequence[float] | None = None) -> Estimate | None:
    """Sum of `values` over sum of `weights` (default: 1 each) and its bootstrap interval with a fixed seed; None for no values."""
    if not values:
        return None
    numerators = np.asarray(values, dtype=np.float64)
    denominators = np.ones_like(numerators) if weights is None else np.asarray(weights, dtype=np.float64)
    picks = np.random.default_rng(_BOOTSTRAP_SEED).integers(len(numerators), size=(_RESAMPLES, len(numerators)))
    means = numerators[picks].sum(axis=1) / denominators[picks].sum(axis=1)
    low, high = np.percentile(means, _INTERVAL)
    return Estimate(value=float(numerators.sum() / denominators.sum()), low=float(low), high=float(high))
