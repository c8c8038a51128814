"""Thresholds between two populations."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from acceptance.calibration.separation import separate
from acceptance.failure import HarnessError

GOOD = np.linspace(0.80, 0.95, 101)
BAD = np.linspace(0.40, 0.70, 101)


def test_pass_lies_halfway_between_the_worst_cases_and_warn_at_the_good_one() -> None:
    found = separate(GOOD, BAD, better=1, decimals=3, what="similarity")
    assert found.bad_worst_case == pytest.approx(0.697)
    assert found.good_worst_case == pytest.approx(0.807, abs=0.001)
    assert found.passing == pytest.approx((found.bad_worst_case + found.good_worst_case) / 2, abs=0.001)
    assert (found.warn, found.floor, found.ceiling) == (found.good_worst_case, 0.55, 0.875)


def test_where_less_is_better_everything_is_mirrored() -> None:
    upwards = separate(GOOD, BAD, better=1, decimals=6, what="x")
    downwards = separate(-GOOD, -BAD, better=-1, decimals=6, what="x")
    assert (downwards.passing, downwards.warn, downwards.floor, downwards.ceiling) == (
        -upwards.passing, -upwards.warn, -upwards.floor, -upwards.ceiling
    )  # fmt: skip


def test_what_a_voice_does_reach_passes_as_far_as_real_speech_does() -> None:
    found = separate(-GOOD, -BAD, better=-1, decimals=3, what="x", halfway=False)
    assert (found.passing, found.warn, found.ceiling) == (found.good_worst_case, found.ceiling, -0.875)


def test_few_clips_never_make_the_gap_larger() -> None:
    found = separate([0.8, 0.9, 0.95], [0.4, 0.5, 0.7], better=1, decimals=3, what="x")
    assert (found.bad_worst_case, found.good_worst_case) == (0.7, 0.8)


@pytest.mark.parametrize("good", [[0.6] * 30, list(np.linspace(0.5, 0.9, 30)), list(BAD)])
def test_populations_that_overlap_are_refused(good: list[float]) -> None:
    with pytest.raises(HarnessError, match="does not tell the two populations apart") as caught:
        separate(good, BAD, better=1, decimals=3, what="similarity")
    assert caught.value.cause == "evidence_overlaps"


def test_a_gap_that_rounding_closes_is_refused() -> None:
    with pytest.raises(HarnessError):
        separate([0.5004] * 5, [0.5] * 5, better=1, decimals=3, what="x")


def test_good_clips_that_are_all_alike_leave_no_room_for_a_warning() -> None:
    with pytest.raises(HarnessError, match="no room for a warning") as caught:
        separate([0.0] * 30, [0.8] * 30, better=-1, decimals=3, what="x", halfway=False)
    assert caught.value.cause == "evidence_too_thin"


NUMBERS = st.lists(st.floats(-1, 1), min_size=1, max_size=40)


@settings(max_examples=200, deadline=None)
@given(NUMBERS, NUMBERS, st.floats(-1, 3), st.sampled_from([1, -1]))
def test_what_is_not_refused_is_in_order_and_separates(
    good: list[float], bad: list[float], shift: float, better: int
) -> None:
    good = [value + better * shift for value in good]
    try:
        found = separate(good, bad, better=better, decimals=3, what="x")
    except HarnessError:
        assert min(better * value for value in good) <= max(better * value for value in bad) + 0.003
        return
    values = [better * value for value in (found.floor, found.bad_worst_case, found.passing, found.warn, found.ceiling)]
    assert values == sorted(values)
    assert values[1] < values[2] < values[3]
    assert np.mean([better * value >= values[2] for value in good]) >= 0.95 - 1 / len(good)
    assert np.mean([better * value >= values[2] for value in bad]) <= 0.01 + 1 / len(bad)
