"""A mean and its interval."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.evaluation.estimate import Estimate, estimate


@settings(deadline=None)
@given(values=st.lists(st.floats(0.0, 5.0), min_size=2, max_size=20))
def test_interval_lies_within_the_values_and_is_the_same_again(values: list[float]) -> None:
    found = estimate(values)
    slack = 1e-9
    assert min(values) - slack <= found.low <= found.high <= max(values) + slack
    assert min(values) - slack <= found.value <= max(values) + slack and estimate(values) == found


def test_one_clip_has_a_mean_and_no_interval_and_none_has_nothing() -> None:
    assert estimate([0.7]) == Estimate(value=0.7, low=None, high=None) and estimate([]) is None


def test_a_rate_is_of_all_utterances_together() -> None:
    assert estimate([1, 0], [1, 9]).value == 0.1
