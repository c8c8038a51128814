"""The row of a take, as another machine may have written it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.acceptance.production.made_rows import SIGNAL, failed, row
from trainer.production import takes


@pytest.mark.parametrize("changes", [{"words": 0}, {"word_edits": -1}, {"characters": 0}, {"character_edits": None}])
def test_a_judged_take_without_words_to_count_is_no_row(changes: dict[str, int | None]) -> None:
    good = row("a")
    assert takes.loads(takes.dumps(good)) == good
    with pytest.raises(ValueError, match=r"has no possible value|judged together"):
        takes.loads(takes.dumps(replace(good, **changes)))


@pytest.mark.parametrize(
    "changes",
    [
        {"similarity": 7.0},
        {"overall": -2.0},
        {"seconds": -1e300},
        {"seconds": 1e300},
        {"sample_rate": -1},
        {"sample_rate": 0},
        {"words": 0},
        {"sha256": "A"},
        {"signal": replace(SIGNAL, clipping=2.0)},
        {"signal": replace(SIGNAL, not_finite=-1)},
        {"signal": None},
    ],
)
def test_numbers_that_no_take_can_have_are_no_row(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"possible value|sha256 in hex|all measures"):
        takes.loads(takes.dumps(replace(row("a"), **changes)))


def test_a_take_that_could_not_be_judged_is_a_row_with_possible_numbers() -> None:
    unspoken = replace(failed("a"), file=None, sha256=None, seconds=0.0, sample_rate=0)
    for good in (failed("a"), unspoken):
        assert takes.loads(takes.dumps(good)) == good
    with pytest.raises(ValueError, match="seconds has no possible value"):
        takes.loads(takes.dumps(replace(unspoken, seconds=-1.0)))
