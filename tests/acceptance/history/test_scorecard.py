"""A score is the mean of its utterances, whose shares follow the policy; a verdict is about the whole."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acceptance.history import parts, scorecard
from acceptance.policy import Policy
from tests.acceptance.history.evaluations import POLICY, clip, evaluation
from trainer.errors import DataError

clips = st.lists(
    st.builds(
        clip,
        st.just(0),
        similarity=st.floats(-1, 1, width=32),
        overall=st.floats(1, 5, width=32),
        word_edits=st.integers(0, 40),
        faults=st.sampled_from([(), ("clipped",)]),
    ),
    min_size=1,
    max_size=5,
).map(lambda rows: [replace(row, id=str(index)) for index, row in enumerate(rows)])


def scored(*rows, policy: Policy = POLICY) -> scorecard.Scorecard:
    return scorecard.score(scorecard.clips(evaluation(rows)), "ge2e_cosine", policy)


def with_scorecard(**changes) -> Policy:
    return replace(POLICY, scorecard=replace(POLICY.scorecard, **changes))


@given(clips)
def test_the_score_is_the_mean_of_the_utterances_and_the_weighted_sum_of_the_shares(rows) -> None:
    found = scored(*rows)
    assert 0.0 <= found.score <= 100.0 + 1e-9
    assert found.score == pytest.approx(sum(row.score for row in found.rows) / len(rows))
    weighted = sum(POLICY.scorecard.weights[name] * metric.share for name, metric in found.metrics.items())
    assert found.score == pytest.approx(100.0 * weighted)


def test_a_voice_at_the_ceilings_has_100_points_and_one_at_the_floors_none() -> None:
    best = clip(1, similarity=POLICY.speaker_similarity.ceiling, overall=POLICY.speech_realism.ceiling, word_edits=0)
    worst = clip(1, similarity=POLICY.speaker_similarity.floor, overall=POLICY.speech_realism.floor, word_edits=10, faults=["silent"])
    assert scored(best).score == pytest.approx(100.0)
    assert scored(best).grade == "A"
    assert scored(worst).score == 0.0
    assert scored(worst).grade == "F"


def test_an_utterance_of_which_nothing_was_understood_is_worth_no_less_than_nothing() -> None:
    rows = scored(clip(1, word_edits=10), clip(2, word_edits=40)).rows
    assert [row.parts["intelligibility"] for row in rows] == [0.0, 0.0]


def test_the_error_rate_of_the_whole_counts_all_words_together() -> None:
    metric = scored(clip(1, word_edits=0), clip(2, word_edits=40)).metrics["intelligibility"]
    assert (metric.metric, metric.value, metric.verdict) == ("wer", 2.0, "fail")
    assert metric.share == pytest.approx(0.5)


@pytest.mark.parametrize(("points", "grade"), [(85.0, "A"), (84.99, "B"), (75.0, "B"), (65.0, "C"), (50.0, "D"), (49.99, "F"), (0.0, "F")])
def test_a_grade_begins_at_its_least_score(points: float, grade: str) -> None:
    assert scorecard.grade(points, POLICY) == grade


@pytest.mark.parametrize(("faulty", "verdict"), [(0, "pass"), (1, "warn"), (2, "fail")])
def test_as_many_clips_may_have_faults_as_a_production_may_reject(faulty: int, verdict: str) -> None:
    rows = [clip(number, faults=["clipped"] if number < faulty else []) for number in range(10)]
    metric = scored(*rows).metrics["signal"]
    assert (metric.metric, metric.value, metric.verdict) == (parts.FAULTLESS, 1.0 - faulty / 10, verdict)


def test_a_good_grade_with_a_failing_metric_may_not_be_promoted() -> None:
    found = scored(clip(1, similarity=0.87, overall=3.3, word_edits=4))
    assert found.grade == "A"
    assert found.refusals(POLICY) == ("intelligibility fails",)


def test_a_grade_below_the_minimum_may_not_be_promoted() -> None:
    found = scored(clip(1, similarity=0.75, overall=2.5, word_edits=3))
    assert found.refusals(POLICY) == ("grade C is below B (scorecard.promotion_minimum_grade)",)
    assert found.refusals(with_scorecard(promotion_minimum_grade="C")) == ()


def test_the_policy_chooses_the_measures() -> None:
    policy = replace(
        POLICY, speech_realism=replace(POLICY.speech_realism, metric="dnsmos_p808"), intelligibility=replace(POLICY.intelligibility, metric="cer")
    )
    metrics = scored(replace(clip(1), p808=3.1), policy=policy).metrics
    assert (metrics["speech_realism"].metric, metrics["speech_realism"].value) == ("dnsmos_p808", 3.1)
    assert (metrics["intelligibility"].metric, metrics["intelligibility"].value) == ("cer", 1 / 50)


def test_a_measure_without_weight_is_not_asked_for() -> None:
    weights = {"speaker_similarity": 0.6, "speech_realism": 0.4, "intelligibility": 0.0, "signal": 0.0}
    assert list(scored(clip(1, word_edits=None), policy=with_scorecard(weights=weights)).metrics) == ["speaker_similarity", "speech_realism"]


@pytest.mark.parametrize(
    ("rows", "metric", "policy", "message"),
    [
        ([clip(1), clip(2, word_edits=None)], "ge2e_cosine", POLICY, "intelligibility of clip 002 was not measured"),
        ([clip(1)], "cosine:ecapa", POLICY, "measured cosine:ecapa, but the policy's thresholds are for ge2e_cosine"),
        ([clip(1)], "ge2e_cosine", replace(POLICY, speech_realism=replace(POLICY.speech_realism, metric="mos")), "speech_realism.metric .* 'mos'"),
    ],
)
def test_what_was_not_measured_is_an_error_and_never_a_guess(rows, metric: str, policy: Policy, message: str) -> None:
    with pytest.raises(DataError, match=message) as refused:
        scorecard.score(scorecard.clips(evaluation(rows)), metric, policy)
    assert refused.value.cause == "evaluation_incomplete"


def test_thresholds_of_another_encoder_are_named_after_it() -> None:
    policy = replace(POLICY, speaker_similarity=replace(POLICY.speaker_similarity, metric="cosine_ecapa_v2"))
    assert scorecard.score(scorecard.clips(evaluation([clip(1)])), "cosine:ECAPA-v2", policy).metrics["speaker_similarity"].verdict == "pass"
