"""One recommendation from the grade, the interval over prompts and the spread between repeated runs; what cannot be told is not told."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acceptance.failure import HarnessError
from acceptance.policy import Policy
from acceptance.scorecards.comparison import Comparison, Recommendation, compare
from tests.acceptance.scorecards.evaluations import POLICY, SPEAKING, clip, origin, run
from trainer.errors import DataError

PROMOTE, HOLD, CANNOT_TELL = Recommendation
QUICK = replace(POLICY, scorecard=replace(POLICY.scorecard, resamples=200, min_difference=1.0))
SPAN = POLICY.speaker_similarity.ceiling - POLICY.speaker_similarity.floor
PER_POINT = SPAN / (100.0 * POLICY.scorecard.weights["speaker_similarity"])
"""Similarity that is worth one point of the score."""

marks = st.builds(
    lambda similarity, overall, edits: {"similarity": similarity, "overall": overall, "word_edits": edits},
    st.floats(0.5, 0.8), st.floats(1.5, 3.3), st.integers(0, 10),
)  # fmt: skip
voices = st.lists(st.tuples(marks, marks), min_size=12, max_size=20)


def voice(similarities, run_id: str, **marks) -> object:
    return run(
        [clip(number, similarity=similarity, **marks) for number, similarity in enumerate(similarities)],
        run_id,
        policy=QUICK,
    )


def good(
    points: float, *, spread: float = 0.0, run_id: str = "b", utterances: int = 40, seed: int = 0, **marks
) -> object:
    """A voice that may be promoted, `points` better than `good(0)`, with a spread of its utterances in points."""
    dice = random.Random(seed)
    return voice([0.80 + PER_POINT * (points + dice.gauss(0.0, spread)) for _ in range(utterances)], run_id, **marks)


def decided(a, b, policy: Policy = QUICK) -> Comparison:
    return compare(a, b, policy)


@settings(max_examples=25)
@given(voices)
def test_a_run_is_never_promoted_over_itself(pairs) -> None:
    a = run([clip(number, **mark) for number, (mark, _) in enumerate(pairs)])
    found = decided(a, a)
    assert found.recommendation is CANNOT_TELL
    assert (found.score.value, found.score.low, found.score.high) == (0.0, 0.0, 0.0)
    assert "the two are the same audio" in found.notices
    assert any(reason.startswith("the two are one checkpoint, ") for reason in found.reasons)


@settings(max_examples=25)
@given(voices, st.floats(1.01, 10.0))
def test_a_constant_improvement_beyond_the_spread_of_runs_is_promoted_if_the_voice_is_good_enough(
    pairs, points: float
) -> None:
    policy = replace(
        QUICK, scorecard=replace(QUICK.scorecard, promotion_minimum_grade="D", grades={"A": 4.0, "B": 3.0, "C": 2.0, "D": 0.0}),
        intelligibility=replace(QUICK.intelligibility, pass_=1.0), speech_realism=replace(QUICK.speech_realism, pass_=1.5),
        speaker_similarity=replace(QUICK.speaker_similarity, pass_=0.46, ceiling=0.99),
    )  # fmt: skip
    gain = points * (0.99 - 0.46) / (100.0 * policy.scorecard.weights["speaker_similarity"])
    a = [clip(number, **mark) for number, (mark, _) in enumerate(pairs)]
    b = [replace(row, similarity=row.similarity + gain, audio_sha256="0" * 64) for row in a]
    found = decided(run(a, "a"), run(b, "b"), policy)
    assert found.recommendation is PROMOTE, found.reasons
    assert found.score.value == pytest.approx(points)
    assert decided(run(b, "b"), run(a, "a"), policy).recommendation is HOLD


@settings(max_examples=25)
@given(voices)
def test_exchanging_the_two_mirrors_every_difference(pairs) -> None:
    a, b = (run([clip(number, **pair[side]) for number, pair in enumerate(pairs)], "ab"[side]) for side in (0, 1))
    forth, back = decided(a, b), decided(b, a)
    assert (forth.score.value, forth.score.low) == pytest.approx((-back.score.value, -back.score.high), abs=1e-6)
    assert {name: found.better for name, found in forth.metrics.items()} == {
        name: -found.better for name, found in back.metrics.items()
    }
    assert (forth.recommendation is CANNOT_TELL) == (back.recommendation is CANNOT_TELL)
    assert {forth.recommendation, back.recommendation} != {PROMOTE}


@settings(max_examples=25)
@given(voices)
def test_the_parts_add_up_to_the_difference(pairs) -> None:
    a, b = (run([clip(number, **pair[side]) for number, pair in enumerate(pairs)], "ab"[side]) for side in (0, 1))
    found = decided(a, b)
    assert sum(metric.points.value for metric in found.metrics.values()) == pytest.approx(found.score.value, abs=1e-6)


def test_a_better_and_good_voice_is_promoted_and_the_reasons_say_why() -> None:
    found = decided(good(0, run_id="a"), good(2, spread=1.0))
    assert found.recommendation is PROMOTE
    assert "its grade, A, is no worse than scorecard.promotion_minimum_grade, B, and no metric fails" in found.reasons
    assert found.reasons[-1].startswith("of the difference +1.89 is speaker_similarity")


def test_a_difference_within_the_spread_of_repeated_runs_cannot_be_told_however_narrow_the_interval_is() -> None:
    found = decided(good(0, run_id="a"), good(0.9))
    assert found.score.low > 0.0
    assert found.recommendation is CANNOT_TELL
    assert "scorecard.min_difference" in found.reasons[1]


def test_a_difference_that_other_prompts_might_reverse_cannot_be_told_however_large_it_is() -> None:
    found = decided(good(0, run_id="a", utterances=12), good(3.0, spread=15.0, utterances=12, seed=3))
    assert abs(found.score.value) > 1.0
    assert found.recommendation is CANNOT_TELL
    assert "the interval includes zero" in found.reasons[1]


def test_a_worse_voice_is_held() -> None:
    assert decided(good(2, run_id="a"), good(0)).recommendation is HOLD


@pytest.mark.parametrize(
    ("marks", "reason"),
    [
        ({"overall": 2.0}, "speech_realism fails"),
        ({"word_edits": 4}, "intelligibility fails"),
        ({"overall": 2.0, "word_edits": 3}, "grade C is below B"),
    ],
)
def test_a_better_voice_that_is_not_good_enough_is_held(marks: dict, reason: str) -> None:
    found = decided(good(-3, run_id="a", **marks), good(-1, **marks))
    assert found.recommendation is HOLD
    assert "the second is better" in found.reasons[1] and reason in found.reasons[2]


def test_two_voices_that_cannot_be_told_apart_are_not_held_for_their_grade() -> None:
    found = decided(good(0, run_id="a", overall=2.0), good(0.5, overall=2.0))
    assert found.recommendation is CANNOT_TELL
    assert "the second could not be promoted anyway" in found.reasons[-1]


def test_one_checkpoint_that_was_spoken_in_two_ways_is_never_promoted() -> None:
    same = origin(run_id="a")
    a, b = (run([clip(number, similarity=mark) for number in range(40)], name, policy=QUICK, source=replace(same, run_id=name), speaking=how)
            for name, mark, how in (("a", 0.80, SPEAKING | {"pitch": 5.0}), ("b", 0.85, SPEAKING)))  # fmt: skip
    found = decided(a, b)
    assert found.score.value > 4.0 and found.recommendation is HOLD
    assert f"the two are one checkpoint, {same.checkpoint_sha256[:12]}: there is nothing to promote" in found.reasons
    assert any("spoken differently (pitch 5 and 0, first and second)" in reason for reason in found.reasons)
    assert not any("its grade" in reason for reason in found.reasons)


@pytest.mark.parametrize("name", sorted(SPEAKING))
def test_another_way_of_speaking_is_named_and_holds_a_promotion(name: str) -> None:
    a = good(0, run_id="a")
    b = replace(good(2), speaking=SPEAKING | {name: SPEAKING[name] + 1})
    found = decided(a, b)
    assert found.recommendation is HOLD
    assert any(f"({name} " in reason and "equal settings: voice say --lines" in reason for reason in found.reasons)


@pytest.mark.parametrize(
    ("unknown", "said"),
    [("a", "of the first were"), ("b", "of the second were"), ("ab", "of the first and the second were")],
)
def test_records_that_do_not_say_how_they_were_spoken_hold_a_promotion_and_name_the_next_step(
    unknown: str, said: str
) -> None:
    pair = {
        name: replace(good(points, run_id=name), **({"speaking": None} if name in unknown else {}))
        for name, points in (("a", 0), ("b", 2))
    }
    found = decided(pair["a"], pair["b"])
    assert found.recommendation is HOLD
    assert any(said in reason and "voice say --lines" in reason for reason in found.reasons)


def test_few_common_prompts_tell_nothing() -> None:
    found = decided(good(0, run_id="a", utterances=9), good(5, utterances=40))
    assert (found.prompts, found.only_a, found.only_b) == (9, 0, 31)
    assert found.recommendation is CANNOT_TELL
    assert "only 9 prompts are common" in found.reasons[1]


def test_no_common_prompt_is_an_error() -> None:
    a, b = (run([clip(1, prompt=text)], text) for text in ("one", "two"))
    with pytest.raises(HarnessError) as refused:
        decided(a, b)
    assert refused.value.cause == "no_common_prompts"


def test_prompts_are_paired_by_what_is_said_and_not_by_name_or_order() -> None:
    a = [clip(number) for number in range(12)]
    b = [replace(row, id=f"{99 - index}") for index, row in enumerate(reversed(a))]
    assert decided(run(a, "a"), run(b, "b")).score.value == 0.0
    assert decided(run(a, "a"), run(b, "b")).prompts == 12


def test_a_prompt_said_several_times_is_paired_as_often() -> None:
    a = [clip(number, prompt="Again.") for number in range(3)]
    assert decided(run(a, "a"), run(a[:2], "b")).prompts == 2


@pytest.mark.parametrize("pin", ["recogniser", "reference", "measures"])
def test_runs_that_were_measured_differently_are_refused(pin: str) -> None:
    with pytest.raises(DataError, match=pin) as refused:
        decided(run([clip(1), clip(2)]), run([clip(1), clip(2)], pins={pin: "0" * 64}))
    assert refused.value.cause == "pins_differ"


def test_other_limits_of_the_signal_are_no_other_measuring_for_both_are_held_to_those_in_force() -> None:
    lenient = replace(QUICK, audio=replace(QUICK.audio, max_clipping=0.1))
    rows = [clip(number, faults=["clipped"]) for number in range(12)]
    a, b = run(rows, "a"), run(rows, "b", policy=lenient, pins={"signal_limits": "0" * 64})
    assert a.score < b.score
    for policy, faultless in ((QUICK, 0.0), (lenient, 1.0)):
        found = decided(a, b, policy)
        assert found.score.value == 0.0
        assert found.metrics["signal"].a.value == found.metrics["signal"].b.value == faultless
        assert any("other limits of the signal" in notice for notice in found.notices)


def test_a_better_voice_of_unknown_origin_is_held() -> None:
    unknown = origin(run_id="b", manifest_path=None, manifest_sha256=None)
    b = run([clip(number, similarity=0.85) for number in range(40)], source=unknown, policy=QUICK)
    found = decided(good(0, run_id="a"), b)
    assert found.recommendation is HOLD
    assert "it may not be promoted: dataset unknown (scorecard.require_origin" in found.reasons[2]
    trusting = replace(QUICK, scorecard=replace(QUICK.scorecard, require_origin=False))
    assert decided(good(0, run_id="a"), b, trusting).recommendation is PROMOTE


def test_a_better_voice_of_whose_utterances_too_many_would_be_rejected_is_held() -> None:
    strict = replace(QUICK, production=replace(QUICK.production, min_grade="A"))
    found = decided(good(0, run_id="a", overall=2.6), good(2, overall=2.6), strict)
    assert found.recommendation is HOLD
    assert "a production would reject 40 of 40 utterances" in found.reasons[2]


def test_thresholds_that_were_set_with_another_model_are_named() -> None:
    policy = replace(QUICK, intelligibility=replace(QUICK.intelligibility, provenance={"normaliser": "0" * 64}))
    assert any(
        "thresholds of intelligibility were set with another normaliser" in notice
        for notice in decided(good(0), good(0), policy).notices
    )


def test_a_run_scored_under_another_policy_is_scored_again_and_that_is_said() -> None:
    strict = replace(QUICK, speaker_similarity=replace(QUICK.speaker_similarity, ceiling=0.99))
    a, b = good(0, run_id="a"), good(2)
    found = decided(a, b, strict)
    assert found.whole_a.score < a.score
    assert "scored under another policy, and scored again under the one in force: a, b" in found.notices
    assert decided(a, b).notices == ()


def test_the_grade_is_of_all_prompts_and_the_difference_of_the_common_ones() -> None:
    a = good(0, run_id="a")
    b = run(
        [
            *(clip(number, similarity=0.82) for number in range(40)),
            *(clip(number, similarity=0.5) for number in range(40, 60)),
        ],
        "b",
    )
    found = decided(a, b)
    assert found.score.value == pytest.approx(0.02 / PER_POINT)
    assert found.whole_b.score < found.score_b
    assert found.recommendation is HOLD


@pytest.mark.parametrize(
    ("worse", "better", "part"),
    [({"word_edits": 4}, {"word_edits": 0}, "intelligibility"), ({"overall": 2.0}, {"overall": 3.0}, "speech_realism"),
     ({"faults": ["clipped"]}, {}, "signal")],
)  # fmt: skip
def test_fewer_errors_a_better_opinion_and_fewer_faults_are_better(worse: dict, better: dict, part: str) -> None:
    found = decided(good(0, run_id="a", **worse), good(0, **better))
    assert {name: metric.better for name, metric in found.metrics.items() if metric.better} == {part: 1}
    assert found.metrics[part].points.value > 0.0


@pytest.mark.parametrize("change", [{"grade": "A"}, {"score": 99.0}])
def test_a_record_that_its_own_rows_contradict_is_refused_under_its_policy_and_scored_again_under_another(
    change: dict,
) -> None:
    one, forged = voice([0.76] * 12, "one"), replace(voice([0.7] * 12, "forged"), **change)
    with pytest.raises(HarnessError, match=r"the record of forged says .* but its rows give") as refused:
        decided(one, forged)
    assert refused.value.cause == "history_invalid"
    assert decided(one, replace(forged, policy_sha256="0" * 64)).whole_b.grade != "A"
