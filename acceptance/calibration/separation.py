"""Thresholds of one measure from two populations of clips: good ones, and ones that must not pass.

`floor` and `ceiling` are the medians. What a synthetic voice does not reach (to be the target, to sound like a person) passes halfway between the
bad population's 99th percentile and the good one's 5th, with `warn` at the latter. What it does reach (to be understood) passes as far as real
speech does: `pass` at the good one's 5th percentile and `warn` at its median. "Better" counts upwards; for error rates all of it is mirrored.

Percentiles are values that occurred: the bad one's is the next higher, the good one's the next lower, so that few clips make the gap smaller
and never larger. Populations that overlap are refused: then the measure does not tell them apart, and no threshold would mean anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from acceptance.failure import HarnessError
from acceptance.policy import implied

BAD_PERCENTILE = 99.0
GOOD_PERCENTILE = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Separation:
    """Thresholds, and the percentiles that they come from."""

    passing: float
    warn: float
    floor: float
    ceiling: float
    bad_worst_case: float
    """What one bad clip in a hundred exceeds."""
    good_worst_case: float
    """What one good clip in twenty falls short of."""


def separate(
    good: Sequence[float], bad: Sequence[float], *, better: int, decimals: int, what: str, halfway: bool = True
) -> Separation:
    """Thresholds between the populations; `better` is 1 where larger values are better, else -1. Not `halfway`: as real speech does.

    Raises HarnessError(evidence_overlaps | evidence_too_thin), naming `what` was measured.
    """
    high_good, high_bad = better * np.asarray(good, dtype=np.float64), better * np.asarray(bad, dtype=np.float64)
    found = {
        "bad_worst_case": float(np.percentile(high_bad, BAD_PERCENTILE, method="higher")),
        "good_worst_case": float(np.percentile(high_good, GOOD_PERCENTILE, method="lower")),
        "floor": float(np.median(high_bad)),
        "ceiling": float(np.median(high_good)),
    }
    # Adding zero makes -0.0, which mirroring may leave, plain 0.0.
    rounded = {name: round(better * value, decimals) + 0.0 for name, value in found.items()}
    good_low = rounded["good_worst_case"]
    # From the rounded values, which the provenance holds: whoever reads it can recompute what passes.
    rounded["passing"] = implied.halfway(rounded["bad_worst_case"], good_low, decimals) if halfway else good_low
    rounded["warn"] = good_low if halfway else rounded["ceiling"]
    if (
        not better * rounded["bad_worst_case"] < better * rounded["good_worst_case"]
        or rounded["passing"] == rounded["bad_worst_case"]
    ):
        raise HarnessError(
            f"{what} does not tell the two populations apart: the best of the bad clips reach {rounded['bad_worst_case']:g}, the worst of the "
            f"good ones {rounded['good_worst_case']:g}; look for clips of the target among the others, use longer or cleaner clips",
            cause="evidence_overlaps",
        )
    if rounded["passing"] == rounded["warn"]:
        raise HarnessError(
            f"{what} is the same for nearly all good clips, which leaves no room for a warning; use more clips",
            cause="evidence_too_thin",
        )
    return Separation(**rounded)
