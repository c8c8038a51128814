"""What a provenance gives is what the calibration wrote."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from acceptance.calibration import spread
from acceptance.calibration.separation import separate
from acceptance.failure import HarnessError
from acceptance.policy import implied


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(sorted(implied.DECIMALS)))
def test_the_percentiles_of_a_calibration_give_its_thresholds(seed: int, section: str) -> None:
    generator = np.random.default_rng(seed)
    upwards = section != "intelligibility"
    bad, good = np.sort(generator.random(20)), np.sort(generator.random(20)) + 1.2
    try:
        found = separate(
            good if upwards else -good, bad if upwards else -bad, better=1 if upwards else -1,
            decimals=implied.DECIMALS[section], what="x", halfway=upwards,
        )  # fmt: skip
    except HarnessError:
        return
    low, high = ("p5", "p99") if upwards else ("p95", "p1")
    method = implied.HALFWAY if upwards else implied.AS_REAL_SPEECH
    medians = {"good_median": found.ceiling, "bad_median": found.floor}
    written = {"method": method, f"good_{low}": found.good_worst_case, f"bad_{high}": found.bad_worst_case, **medians}
    values = {"pass": found.passing, "warn": found.warn, "floor": found.floor, "ceiling": found.ceiling}
    assert implied.thresholds(section, written) == values


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("recipes", [1, 2, 4])
def test_the_spread_of_a_calibration_gives_its_least_difference(seed: int, recipes: int) -> None:
    generator = np.random.default_rng(seed)
    scores = [generator.normal(60 + 10 * number, 0.1 + seed / 10, size=3).tolist() for number in range(recipes)]
    found = spread.measure(scores, confidence=0.95)
    written = {"standard_deviation": found.standard_deviation, "largest_seen": found.largest_seen}
    assert (
        implied.least_difference({"runs": 3 * recipes, "recipes": recipes, "confidence": 0.95, **written})
        == found.least_difference
    )


@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.95, 0.999])
def test_the_bound_of_students_t_is_that_of_scipy(confidence: float) -> None:
    for freedom in (1, 2, 3, 4, 5, 10, 31, 100):
        assert implied.student_bound(freedom, confidence) == pytest.approx(
            student.ppf((1 + confidence) / 2, freedom), rel=1e-9
        )


RUNS = {"runs": 3, "standard_deviation": 0.5, "largest_seen": 1.0, "confidence": 0.95}


@pytest.mark.parametrize(
    "change",
    [
        *(
            {name: value}
            for name in ("standard_deviation", "largest_seen", "confidence")
            for value in (None, "x", 1e300)
        ),
        *({"runs": value} for value in (1, 10**30, "three", None)),
        *({"recipes": value} for value in (3, -1, 1.5, "two")),
        *({"confidence": value} for value in (0, 1, -1)),
    ],
)
def test_numbers_that_no_calibration_writes_are_named(change: dict[str, object]) -> None:
    assert implied.least_difference(RUNS) > 0
    with pytest.raises(implied.Incomplete):
        implied.least_difference(RUNS | change)


def test_a_provenance_of_another_kind_gives_nothing() -> None:
    assert implied.thresholds("speech_realism", {"human_clips": 40}) is None
    assert implied.least_difference({"source": "a paper"}) is None
