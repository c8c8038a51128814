"""Scores of clips and their summary."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.evaluation import pictures, rating, tables
from trainer.evaluation.estimate import Estimate
from trainer.evaluation.rating import Clip, ClipScore


@pytest.fixture(scope="module")
def scores(clips: list[Clip]) -> list[ClipScore]:
    return rating.score_all(clips)


def numbers(one: ClipScore) -> tuple:
    return one.clip, one.vector.tobytes(), one.signal, one.heard, one.errors, one.opinion


def test_scores_do_not_depend_on_processes_or_order(clips: list[Clip], scores: list[ClipScore]) -> None:
    again = rating.score_all(clips[1::-1], processes=2)
    assert [numbers(one) for one in again[::-1]] == [numbers(one) for one in scores[:2]]


def test_progress_is_reported_after_every_clip(clips: list[Clip]) -> None:
    calls = []
    rating.score_all([Clip(name="a", wave=clips[0].wave, opinion=False)] * 2, on_progress=lambda: calls.append(1))
    assert len(calls) == 2


def test_row_summarises_all_clips(scores: list[ClipScore]) -> None:
    row = rating.summarise("espeak", scores, {"x": scores[0].vector})
    edits, words = (sum(getattr(one.errors, name) for one in scores) for name in ("word_edits", "words"))
    assert row.clips == 3 and row.word_errors.value == pytest.approx(edits / words)
    assert row.overall.value == pytest.approx(np.mean([one.opinion.overall for one in scores]))
    assert 0.0 <= row.similarity.low <= row.similarity.value <= row.similarity.high <= 1.0


def test_a_clip_is_not_compared_with_its_own_source(clips: list[Clip], scores: list[ClipScore]) -> None:
    mine = ClipScore(**{name: getattr(scores[0], name) for name in ClipScore.__slots__} | {"source": "1"})
    references = {"1": scores[0].vector, "2": scores[1].vector}
    expected = float(scores[0].vector @ scores[1].vector)
    assert rating.summarise("one", [mine], references).similarity.value == pytest.approx(expected, abs=1e-6)


def test_what_was_not_judged_is_none(clips: list[Clip]) -> None:
    row = rating.summarise("mute", [rating.score(Clip(name="a", wave=clips[0].wave, opinion=False))], {})
    assert (row.similarity, row.word_errors, row.overall, row.p808) == (None, None, None, None)


@settings(deadline=None)
@given(values=st.lists(st.floats(0.0, 5.0), min_size=2, max_size=20))
def test_interval_lies_within_the_values_and_is_the_same_again(values: list[float]) -> None:
    found = rating.estimate(values)
    slack = 1e-9
    assert min(values) - slack <= found.low <= found.high <= max(values) + slack
    assert min(values) - slack <= found.value <= max(values) + slack and rating.estimate(values) == found


def test_one_clip_has_a_mean_and_no_interval(clips: list[Clip]) -> None:
    assert rating.estimate([0.7]) == Estimate(value=0.7, low=None, high=None)
    row = rating.summarise("one", [rating.score(clips[0])], {})
    assert "±unknown" in tables.markdown([row]) and pictures.scores([row])


def test_a_rate_is_of_all_utterances_together() -> None:
    assert rating.estimate([1, 0], [1, 9]).value == 0.1


def test_every_judge_is_pinned_by_a_hash() -> None:
    assert set(rating.models()) == {"speaker_encoder", "dnsmos_p835", "dnsmos_p808", "recogniser"}
    assert all(len(digest) == 64 for digest in rating.models().values())
