"""A score is the mean of its utterances, whose shares follow the policy; a verdict is about the whole."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acceptance.failure import HarnessError
from acceptance.policy import Policy
from acceptance.scorecards import objections, parts, scorecard
from acceptance.scorecards.origin import Acceptance
from tests.acceptance.scorecards.evaluations import POLICY, clip, evaluation, origin
from trainer.evaluation.checkpoints import Licence

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


def refusals(found: scorecard.Scorecard, policy: Policy = POLICY, *, checkpoint: str | None = "c", manifest: str | None = "m",
             spoken: str | None = "recorded") -> tuple[str, ...]:  # fmt: skip
    return objections.refusals(
        found, origin(checkpoint_sha256=checkpoint, manifest_sha256=manifest, checkpoint_origin=spoken), policy
    )


def with_audio(**changes) -> Policy:
    return replace(POLICY, audio=replace(POLICY.audio, **changes))


def with_production(**changes) -> Policy:
    return replace(POLICY, production=replace(POLICY.production, **changes))


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
    worst = clip(
        1,
        similarity=POLICY.speaker_similarity.floor,
        overall=POLICY.speech_realism.floor,
        word_edits=10,
        faults=["silent"],
    )
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


@pytest.mark.parametrize(
    ("points", "grade"), [(85.0, "A"), (84.99, "B"), (75.0, "B"), (65.0, "C"), (50.0, "D"), (49.99, "F"), (0.0, "F")]
)
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
    assert refusals(found) == ("intelligibility fails",)


def test_a_grade_below_the_minimum_may_not_be_promoted() -> None:
    found = scored(clip(1, similarity=0.75, overall=2.5, word_edits=3))
    assert refusals(found) == ("grade C is below B (scorecard.promotion_minimum_grade)",)
    assert refusals(found, with_scorecard(promotion_minimum_grade="C")) == ()


@pytest.mark.parametrize(
    ("missing", "named"),
    [({"checkpoint": None}, "checkpoint unknown"), ({"manifest": None}, "dataset unknown"),
     ({"checkpoint": None, "manifest": None}, "checkpoint and dataset unknown")],
)  # fmt: skip
def test_a_voice_of_unknown_origin_may_not_be_promoted_however_good_it_is(missing: dict, named: str) -> None:
    found = scored(clip(1, similarity=0.87, overall=3.3))
    assert refusals(found) == ()
    (reason,) = refusals(found, **missing)
    assert reason.startswith(f"{named} (scorecard.require_origin; ")
    assert refusals(found, with_scorecard(require_origin=False), **missing) == ()


@pytest.mark.parametrize("spoken", ["claimed", None])
def test_a_checkpoint_that_is_only_said_to_have_spoken_does_not_promote_a_voice(spoken: str | None) -> None:
    found = scored(clip(1, similarity=0.87, overall=3.3))
    (reason,) = refusals(found, spoken=spoken)
    assert "not recorded (scorecard.require_origin" in reason and "voice say --lines" in reason
    assert refusals(found, with_scorecard(require_origin=False), spoken=spoken) == ()


def test_as_many_utterances_may_be_rejected_as_the_policy_says() -> None:
    weak = [
        clip(number, similarity=0.87, **({"overall": 1.5, "word_edits": 8} if number < 2 else {}))
        for number in range(10)
    ]
    found = scored(*weak)
    assert (found.rejected.below_grade, found.rejected.utterances, found.rejected.share) == (2, 2, 0.2)
    (reason,) = refusals(found)
    assert reason.startswith(
        "a production would reject 2 of 10 utterances (20.0 %: 0 with a fault, 2 below production.min_grade C; "
    )
    assert refusals(found, with_production(max_rejected_share=0.2)) == ()
    assert scored(*weak, policy=with_production(min_grade="D")).rejected.utterances == 0


def test_an_utterance_that_is_faulty_and_bad_is_rejected_once() -> None:
    rows = [clip(1, word_edits=9, similarity=0.6, faults=["clipped"]), clip(2, faults=["noisy"]), clip(3), clip(4)]
    assert scored(*rows).rejected == scorecard.Rejected(faulty=2, below_grade=1, utterances=2, share=0.5)


@pytest.mark.parametrize(
    ("row", "limits", "faults"),
    [
        (clip(1), {"min_snr_db": 31.0}, ("noisy",)),
        (clip(1), {"max_pause_s": 0.1}, ("long_pause",)),
        (clip(1), {"min_seconds_per_word": 0.3}, ("too_fast",)),
        (clip(1), {"max_seconds_per_word": 0.25}, ("too_slow",)),
        (clip(1, faults=["clipped"]), {"max_clipping": 0.1}, ()),
        (clip(1, faults=["noisy"]), {"min_snr_db": 4.0, "max_offset": 0.02}, ()),
    ],
)  # fmt: skip
def test_the_limits_of_the_policy_decide_what_is_a_fault_whatever_the_evaluation_called_one(
    row, limits: dict, faults: tuple
) -> None:
    (usual,) = scored(row).rows
    assert usual.faults == row.faults
    found = scored(row, policy=with_audio(**limits))
    assert found.rows[0].faults == faults
    assert found.metrics["signal"].value == float(not faults)
    assert scorecard.rejudged(found, evaluation([row]))
    assert not scorecard.rejudged(scored(row), evaluation([row]))


@pytest.mark.parametrize("fault", ["missing", "undecodable", "lfs_pointer", "too_long"])
def test_no_limit_makes_a_file_without_sound_a_sound_clip(fault: str) -> None:
    endless = with_audio(max_silence=1.0, min_clip_s=1e-9, max_pause_s=1e9)
    assert scored(clip(1, faults=[fault]), policy=endless).rows[0].faults == (fault,)


def test_digital_silence_stays_silent_under_any_limit() -> None:
    silence = replace(
        clip(1), signal=replace(clip(1).signal, silence=1.0, loudness_lufs=None, snr_db=None, spoken_s=0.0)
    )
    assert scored(silence, policy=with_audio(max_silence=1.0)).rows[0].faults == ("silent",)


def test_the_policy_chooses_the_measures() -> None:
    policy = replace(
        POLICY,
        speech_realism=replace(POLICY.speech_realism, metric="dnsmos_p808"),
        intelligibility=replace(POLICY.intelligibility, metric="cer"),
    )
    metrics = scored(replace(clip(1), p808=3.1), policy=policy).metrics
    assert (metrics["speech_realism"].metric, metrics["speech_realism"].value) == ("dnsmos_p808", 3.1)
    assert (metrics["intelligibility"].metric, metrics["intelligibility"].value) == ("cer", 1 / 50)


def test_a_measure_without_weight_is_not_asked_for() -> None:
    weights = {"speaker_similarity": 0.6, "speech_realism": 0.4, "intelligibility": 0.0, "signal": 0.0}
    assert list(scored(clip(1, word_edits=None), policy=with_scorecard(weights=weights)).metrics) == [
        "speaker_similarity",
        "speech_realism",
    ]


@pytest.mark.parametrize(
    ("rows", "metric", "policy", "message"),
    [
        ([clip(1), clip(2, word_edits=None)], "ge2e_cosine", POLICY, "intelligibility of clip 002 was not measured"),
        ([clip(1)], "cosine:ecapa", POLICY, "measured cosine:ecapa, but the policy's thresholds are for ge2e_cosine"),
        (
            [clip(1)],
            "ge2e_cosine",
            replace(POLICY, speech_realism=replace(POLICY.speech_realism, metric="mos")),
            "speech_realism.metric .* 'mos'",
        ),
    ],
)
def test_what_was_not_measured_is_an_error_and_never_a_guess(rows, metric: str, policy: Policy, message: str) -> None:
    with pytest.raises(HarnessError, match=message) as refused:
        scorecard.score(scorecard.clips(evaluation(rows)), metric, policy)
    assert refused.value.cause == "evaluation_incomplete"


def test_thresholds_of_another_encoder_are_named_after_it() -> None:
    policy = replace(POLICY, speaker_similarity=replace(POLICY.speaker_similarity, metric="cosine_ecapa_v2"))
    assert (
        scorecard.score(scorecard.clips(evaluation([clip(1)])), "cosine:ECAPA-v2", policy)
        .metrics["speaker_similarity"]
        .verdict
        == "pass"
    )


TRUSTING = replace(POLICY, scorecard=replace(POLICY.scorecard, require_origin=False))
BLOCKED_RUN = Acceptance(status="blocked", run_id="r1", first_failed_step="phase_4_artifacts.learned")
UNKNOWN_RUN = Acceptance(status="unknown")


@pytest.mark.parametrize(
    ("changes", "refused", "trusted"),
    [
        ({}, None, True),
        (
            {"acceptance": BLOCKED_RUN},
            "the acceptance run that made the checkpoint, r1, was blocked at phase_4_artifacts.learned",
            False,
        ),
        ({"acceptance": BLOCKED_RUN, "checkpoint_read": True}, "was blocked at", False),
        (
            {"acceptance": replace(BLOCKED_RUN, first_failed_step=None)},
            "r1, did not run every step (pytest acceptance -q does)",
            False,
        ),
        (
            {"acceptance": UNKNOWN_RUN},
            "no acceptance run of the checkpoint is known here, and the file itself was not read",
            True,
        ),
        ({"acceptance": UNKNOWN_RUN, "checkpoint_read": True}, None, True),
        ({"licence": Licence(name="CC-BY-NC-4.0", promotable=False)}, "its licence, CC-BY-NC-4.0, forbids it", False),
        ({"licence": Licence(name="CC-BY-NC-4.0", promotable=True)}, None, True),
    ],
)
def test_a_voice_is_promoted_only_for_what_is_known_of_its_making(
    changes: dict, refused: str | None, trusted: bool
) -> None:
    card, source = scored(clip(1)), origin(**changes)
    found = objections.refusals(card, source, POLICY)
    assert (refused in found[0] and len(found) == 1) if refused else found == ()
    assert (objections.refusals(card, source, TRUSTING) == ()) is trusted
    assert bool(objections.notices(source)) is (source.acceptance is UNKNOWN_RUN)
