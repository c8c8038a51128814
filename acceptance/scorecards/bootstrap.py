"""Confidence intervals of paired differences: utterances are drawn again and again, both voices always with the same ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

SEED = 20_261
_CELLS = 2**22
"""Counts held at once: 32 MiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """B minus A, and the bounds of its confidence interval."""

    value: float
    low: float
    high: float

    @property
    def sign(self) -> int:
        """1 where the whole interval is above zero, -1 where it is below, else 0."""
        return int(self.low > 0) - int(self.high < 0)


class Pairs(NamedTuple):
    """One measure of the common utterances, (n,) each: the values, and the weights that make one rate of them."""

    a: np.ndarray
    weights_a: np.ndarray
    b: np.ndarray
    weights_b: np.ndarray


def mean_pairs(a: Sequence[float], b: Sequence[float]) -> Pairs:
    """Pairs whose mean counts."""
    return rate_pairs(a, np.ones(len(a)), b, np.ones(len(b)))


def rate_pairs(a: ArrayLike, weights_a: ArrayLike, b: ArrayLike, weights_b: ArrayLike) -> Pairs:
    """Pairs whose rate counts: sum over sum of weights."""
    columns = (np.asarray(column, dtype=np.float64) for column in (a, weights_a, b, weights_b))
    return Pairs(*columns)


def differences(measures: Sequence[Pairs], *, confidence: float, resamples: int) -> list[Difference]:
    """The difference of each measure with its interval; all measures are resampled together. Needs two or more utterances.

    Expanded percentile intervals (Hesterberg 2015, What Teachers Should Know About the Bootstrap): the tails are widened to those of
    Student's t, because plain percentile intervals are too short for few utterances. The same input gives the same interval.
    """
    columns = np.stack([column for pairs in measures for column in pairs], axis=1)
    whole = _differences(columns.sum(axis=0, keepdims=True))[0]
    drawn = _resampled(columns, resamples)
    low, high = np.quantile(drawn, _tails(len(columns), confidence), axis=0)
    return [
        # Rounded: the order of a sum must not decide whether an interval touches zero.
        Difference(
            value=round(float(value), 9),
            low=round(float(min(lower, value)), 9),
            high=round(float(max(upper, value)), 9),
        )
        for value, lower, upper in zip(whole, low, high, strict=True)
    ]


def _resampled(columns: np.ndarray, resamples: int) -> np.ndarray:
    """(n, 4 measures) -> (resamples, measures) differences of resampled sums."""
    utterances = len(columns)
    generator = np.random.default_rng(SEED)
    chunk = max(_CELLS // utterances, 1)
    parts = []
    for start in range(0, resamples, chunk):
        counts = generator.multinomial(
            utterances, np.full(utterances, 1.0 / utterances), size=min(chunk, resamples - start)
        )
        parts.append(_differences(counts @ columns))
    return np.concatenate(parts)


def _differences(sums: np.ndarray) -> np.ndarray:
    """(m, 4 measures) sums of a, its weights, b and its weights -> (m, measures)."""
    a, weights_a, b, weights_b = (sums[:, index::4] for index in range(4))
    return b / weights_b - a / weights_a


def _tails(utterances: int, confidence: float) -> tuple[float, float]:
    """The two quantiles to take of the resampled differences."""
    student = special.stdtrit(utterances - 1, (1.0 - confidence) / 2.0)
    tail = float(special.ndtr(math.sqrt(utterances / (utterances - 1)) * student))
    return tail, 1.0 - tail
