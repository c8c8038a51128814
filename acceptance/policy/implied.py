"""What a provenance says its thresholds are: the formulas of a calibration over the numbers that it wrote down.

Plain Python: the guardrails recompute a policy by them where neither NumPy nor SciPy is installed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

HALFWAY = "pass halfway between bad p99 and good p5; warn at good p5; floor and ceiling at the medians"
AS_REAL_SPEECH = "pass at good p95; warn and ceiling at the good median; floor at the bad one; bad p1 must lie beyond"
DECIMALS = {"speaker_similarity": 3, "speech_realism": 2, "intelligibility": 3}
"""Places that thresholds are rounded to, by section."""
PER_CLIP = "min_similarity, min_realism at the lower of real p1 and batch p5; max_wer at real p90; reject_wer at the real maximum"
PER_CLIP_DECIMALS = 3
STEP = 0.1
"""The least difference of scores is rounded up to a multiple of it, in points."""
_MOST_RUNS = 10_000

Provenance = Mapping[str, str | float | None]


class Incomplete(ValueError):
    """The provenance names a method, but not the numbers that the method goes by."""


def halfway(bad: float, good: float, decimals: int) -> float:
    """Between the worst cases of two populations, both rounded already. Adding zero makes -0.0 plain 0.0."""
    return round((bad + good) / 2, decimals) + 0.0


def thresholds(section: str, provenance: Provenance) -> dict[str, float] | None:
    """`pass`, `warn`, `floor` and `ceiling` of a section by its provenance; None where no method of a calibration is named. Raises Incomplete."""
    method = provenance.get("method")
    if method not in (HALFWAY, AS_REAL_SPEECH):
        return None
    floor, ceiling = _number(provenance, "bad_median"), _number(provenance, "good_median")
    if method == HALFWAY:
        good, bad = _number(provenance, "good_p5"), _number(provenance, "bad_p99")
        return {"pass": halfway(bad, good, DECIMALS[section]), "warn": good, "floor": floor, "ceiling": ceiling}
    good, bad = _number(provenance, "good_p95"), _number(provenance, "bad_p1")
    if not good < bad:
        raise Incomplete(f"bad_p1 is {bad:g}, which does not lie beyond good_p95, {good:g}")
    return {"pass": good, "warn": ceiling, "floor": floor, "ceiling": ceiling}


def per_clip(provenance: Provenance) -> dict[str, float] | None:
    """The numbers of one take in a production by their provenance; None where no method of a calibration is named. Raises Incomplete."""
    if provenance.get("method") != PER_CLIP:
        return None
    unsure, wrong = _number(provenance, "real_p90_wer"), _number(provenance, "real_max_wer")
    return {
        "min_similarity": min(_number(provenance, "real_p1_similarity"), _number(provenance, "batch_p5_similarity")),
        "min_realism": min(_number(provenance, "real_p1_realism"), _number(provenance, "batch_p5_realism")),
        "max_wer": unsure,
        "reject_wer": max(unsure, wrong),
    }


def least_difference(provenance: Provenance) -> float | None:
    """The least difference of two scores by its provenance, in points; None where no runs are named. Raises Incomplete."""
    if "runs" not in provenance:
        return None
    recipes = provenance.get("recipes") or 1
    runs = _number(provenance, "runs", most=_MOST_RUNS)
    if not isinstance(recipes, int) or not 1 <= recipes < runs:
        raise Incomplete(f"it has {runs:g} runs of {recipes} recipes")
    deviation, seen = (_number(provenance, name, most=100) for name in ("standard_deviation", "largest_seen"))
    return difference(deviation, seen, freedom=int(runs) - recipes, confidence=_number(provenance, "confidence"))


def difference(deviation: float, seen: float, *, freedom: int, confidence: float) -> float:
    """What two equal runs exceed with probability 1 - confidence, at least the largest difference seen, rounded up to the next step.

    What lies a rounding error above a step is that step.
    """
    points = max(student_bound(freedom, confidence) * deviation * math.sqrt(2.0), seen)
    return round(math.ceil(round(points / STEP, 6)) * STEP, 1)


def student_bound(freedom: int, confidence: float) -> float:
    """Two-sided bound of Student's t: the value that |t| stays below with probability `confidence`.

    By the finite series of the distribution for whole degrees of freedom (Abramowitz and Stegun, 26.7.3 and 26.7.4), bisected in its angle.
    """
    if not 0.0 < confidence < 1.0:
        raise Incomplete(f"a confidence of {confidence:g} is none")
    low, high = 0.0, math.pi / 2
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < confidence else (low, middle)
    return math.sqrt(freedom) * math.tan(low)


def _within(angle: float, freedom: int) -> float:
    """Probability that |t| stays below sqrt(freedom) * tan(angle)."""
    odd = freedom % 2
    term = math.cos(angle) if odd else 1.0
    total = 0.0
    for number in range(1 + odd, freedom, 2):
        total += term
        term *= math.cos(angle) ** 2 * number / (number + 1)
    return (angle + math.sin(angle) * total) * 2 / math.pi if odd else math.sin(angle) * total


def _number(provenance: Provenance, name: str, *, most: float = math.inf) -> float:
    value = provenance.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Incomplete(f"it says no {name}")
    if value > most:
        raise Incomplete(f"{name} is {value:g}, more than {most:g}")
    return value
