"""The least difference between scores that means something."""

from __future__ import annotations

import numpy as np
import pytest

from acceptance.calibration import spread
from acceptance.failure import HarnessError


def least_difference(recipes: list[list[float]], *, confidence: float) -> float:
    return spread.measure(recipes, confidence=confidence).least_difference


def test_three_runs_give_the_students_bound() -> None:
    # s = 1, t(0.975, 2) = 4.3027, times the square root of 2, rounded up to a tenth.
    assert least_difference([[70.0, 71.0, 72.0]], confidence=0.95) == 6.1


def test_more_runs_of_the_same_spread_give_a_smaller_bound() -> None:
    assert least_difference([[70.0, 71.0, 72.0] * 5], confidence=0.95) < 3


@pytest.mark.parametrize("seed", range(20))
def test_it_is_never_less_than_what_was_seen(seed: int) -> None:
    scores = np.random.default_rng(seed).normal(70, 2, size=3 + seed).tolist()
    assert least_difference([scores], confidence=0.5) >= max(scores) - min(scores)


def test_equal_runs_rarely_differ_by_more() -> None:
    generator = np.random.default_rng(1)
    beyond = 0
    for _ in range(1000):
        *runs, first, second = generator.normal(70, 1, size=6)
        beyond += abs(first - second) > least_difference([runs], confidence=0.95)
    assert beyond / 1000 < 0.07


def test_recipes_of_other_means_share_one_spread() -> None:
    # The variances of 70, 71, 72 and 80, 81, 82 pooled: s = 1 with 4 degrees of freedom, t = 2.7764.
    assert least_difference([[70.0, 71.0, 72.0], [80.0, 81.0, 82.0]], confidence=0.95) == 4.0


def test_a_recipe_of_a_single_run_has_no_spread() -> None:
    with pytest.raises(HarnessError) as caught:
        least_difference([[70.0, 71.0, 72.0], [80.0]], confidence=0.95)
    assert "two of every recipe" in str(caught.value)


@pytest.mark.parametrize("scores", [[], [70.0], [70.0, 71.0], [70.0, 70.0, 70.0]])
def test_runs_without_a_spread_are_refused(scores: list[float]) -> None:
    with pytest.raises(HarnessError) as caught:
        least_difference([scores], confidence=0.95)
    assert caught.value.cause == "evidence_too_thin"
