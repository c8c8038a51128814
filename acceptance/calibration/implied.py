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
STEP = 0.1
"""The least difference of scores is rounded up to a multiple of it, in points."""
_MOST_RUNS = 10_000
_WRITTEN = 0.0005
"""Scores and their deviation are written with three places."""

Span = tuple[float, float]
"""Least and greatest value, both allowed."""
Provenance = Mapping[str, str | float | None]


class Incomplete(ValueError):
    """The provenance names a method, but not the numbers that the method goes by."""


def halfway(bad: float, good: float, decimals: int) -> float:
    """Between the worst cases of two populations, both rounded already. Adding zero makes -0.0 plain 0.0."""
    return round((bad + good) / 2, decimals) + 0.0


def thresholds(section: str, provenance: Provenance, *, median: float) -> dict[str, Span] | None:
    """What `pass`, `warn`, `floor` and `ceiling` of a section can be by its provenance; None where no method of a calibration is named.

    `median` is that of the good clips, which stands nowhere but in the section's ceiling. Raises Incomplete.
    """
    method = provenance.get("method")
    if method == HALFWAY:
        good, bad = _number(provenance, "good_p5"), _number(provenance, "bad_p99")
        passing = halfway(bad, good, DECIMALS[section])
        return {"pass": (passing, passing), "warn": (good, good), "floor": (-math.inf, bad), "ceiling": (good, math.inf)}
    if method == AS_REAL_SPEECH:
        good, bad = _number(provenance, "good_p95"), _number(provenance, "bad_p1")
        return {"pass": (good, good), "warn": (median, median), "floor": (bad, math.inf), "ceiling": (-math.inf, good)}
    return None


def least_difference(provenance: Provenance) -> Span | None:
    """What the least difference of two scores can be by its provenance, in points; None where no runs are named. Raises Incomplete.

    A span, for the numbers were rounded; with several recipes only the range of all their scores was written, of which one recipe's is a part.
    """
    if "runs" not in provenance:
        return None
    recipes = provenance.get("recipes") or 1
    runs = _number(provenance, "runs", most=_MOST_RUNS)
    if not isinstance(recipes, int) or not 1 <= recipes < runs:
        raise Incomplete(f"it has {runs:g} runs of {recipes} recipes")
    factor = student_bound(int(runs) - recipes, _number(provenance, "confidence")) * math.sqrt(2.0)
    deviation = _number(provenance, "standard_deviation", most=100)
    seen = _number(provenance, "highest_score", most=100) - _number(provenance, "lowest_score", most=100)
    least = max(factor * (deviation - _WRITTEN), seen - 2 * _WRITTEN if recipes == 1 else 0.0)
    return rounded_up(least), rounded_up(max(factor * (deviation + _WRITTEN), seen + 2 * _WRITTEN))


def rounded_up(points: float) -> float:
    """To the next step; what lies a rounding error above one is that one."""
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
