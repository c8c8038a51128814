"""How far the scores of one and the same voice lie apart: the least difference that means something.

Two runs whose true scores are equal differ by a normal variable of sqrt(2) times the runs' standard deviation. The bound is what such a
difference exceeds with probability 1 - confidence, by Student's t for as few runs as there are, and never less than the largest
difference that was seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import stdev

from scipy.stats import t as student

from trainer.errors import DataError

LEAST_RUNS = 3
METHOD = "two-sided Student t bound of the difference of two runs, at least the largest seen, rounded up"
_STEP = 0.1


def least_difference(scores: Sequence[float], *, confidence: float) -> float:
    """Points of the score, rounded up to a tenth; raises DataError(evidence_too_thin) for less than three runs or runs without any spread."""
    if len(scores) < LEAST_RUNS:
        raise DataError(
            f"{len(scores)} runs show no spread; evaluate at least {LEAST_RUNS} runs of the same voice with other seeds", cause="evidence_too_thin"
        )
    deviation = stdev(scores)
    if not deviation > 0.0:
        raise DataError(
            f"all {len(scores)} runs have the same score, so they cannot say what chance does; train or speak with other seeds",
            cause="evidence_too_thin",
        )
    bound = float(student.ppf((1.0 + confidence) / 2.0, df=len(scores) - 1)) * deviation * math.sqrt(2.0)
    points = max(bound, max(scores) - min(scores))
    return round(math.ceil(round(points / _STEP, 6)) * _STEP, 1)
