"""How far the scores of one and the same voice lie apart: the least difference that means something.

Two runs whose true scores are equal differ by a normal variable of sqrt(2) times the runs' standard deviation. The bound is what such a
difference exceeds with probability 1 - confidence, by Student's t for as few runs as there are, and never less than the largest
difference that was seen within a recipe. Recipes of other means share one deviation: their variances are pooled.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import variance

from acceptance.failure import HarnessError
from acceptance.policy import implied

LEAST_RUNS = 3
_DECIMALS = 3
METHOD = "two-sided Student t bound of the difference of two runs of one recipe, variances of recipes pooled, at least the largest seen, rounded up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Points of the score: the bound, and the two numbers that it follows from as they are written down."""

    least_difference: float
    """A multiple of a tenth."""
    standard_deviation: float
    largest_seen: float
    """Largest difference of two runs of one recipe."""


def measure(recipes: Sequence[Sequence[float]], *, confidence: float) -> Spread:
    """The spread of the scores of each recipe's runs.

    Raises HarnessError(evidence_too_thin) for a recipe of a single run, less than three runs in all, or runs without any spread.
    """
    runs = sum(len(scores) for scores in recipes)
    if runs < LEAST_RUNS or min(len(scores) for scores in recipes) < 2:
        raise HarnessError(
            f"{runs} runs of {len(recipes)} recipes show no spread; evaluate at least {LEAST_RUNS} runs of the same voice with other seeds, "
            "and two of every recipe",
            cause="evidence_too_thin",
        )
    deviation = round(pooled_deviation(recipes), _DECIMALS)
    if not deviation > 0.0:
        raise HarnessError(
            f"all {runs} runs have the same score, so they cannot say what chance does; train or speak with other seeds",
            cause="evidence_too_thin",
        )
    # Upwards, and the bound from what is written: whoever reads it can recompute the bound, and it is never less than what was seen.
    seen = math.ceil(round(max(max(scores) - min(scores) for scores in recipes) * 10**_DECIMALS, 6)) / 10**_DECIMALS
    bound = implied.difference(deviation, seen, freedom=runs - len(recipes), confidence=confidence)
    return Spread(least_difference=bound, standard_deviation=deviation, largest_seen=seen)


def pooled_deviation(recipes: Sequence[Sequence[float]]) -> float:
    """Standard deviation within recipes, of at least two runs each."""
    squares = sum(variance(scores) * (len(scores) - 1) for scores in recipes)
    return math.sqrt(squares / sum(len(scores) - 1 for scores in recipes))
