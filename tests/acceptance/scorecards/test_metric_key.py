"""An encoder's metric has one name in the policy: what calibration writes is what a scorecard asks for, and the policy takes it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acceptance.calibration import proposal
from acceptance.calibration.evidence import CalibrationEvidence
from acceptance.failure import HarnessError
from acceptance.policy import schema
from acceptance.scorecards import parts, scorecard
from tests.acceptance.scorecards.evaluations import POLICY, REFERENCE, clip, evaluation
from trainer.evaluation.evaluation import POCKETSPHINX_PIN

METRIC = schema.leaves()["speaker_similarity.metric"]


@given(st.text(max_size=200))
def test_the_policy_takes_the_name_of_any_encoder(name: str) -> None:
    key = parts.metric_key(f"cosine:{name}")
    assert schema.check(METRIC, key) == key == parts.metric_key(key)


@pytest.mark.parametrize(
    ("metric", "key"), [("ge2e_cosine", "ge2e_cosine"), ("cosine:ECAPA-TDNN", "cosine_ecapa_tdnn")]
)
def test_calibration_writes_the_name_that_a_scorecard_asks_for(metric: str, key: str) -> None:
    real = tuple(clip(number, overall=3.0 + 0.01 * number) for number in range(8))
    damaged = tuple(clip(number, overall=1.5 + 0.01 * number) for number in range(8))
    pins = evaluation(real).pins
    found = CalibrationEvidence(
        pins=pins, recogniser="pocketsphinx", similarity_metric=metric, reference=REFERENCE, impostors=REFERENCE, clip_seconds=None,
        real_similarity=(0.8, 0.82, 0.84, 0.86), impostor_similarity=(0.4, 0.45, 0.5, 0.55), real=real, damaged=damaged,
    )  # fmt: skip
    changes = proposal.from_evidence(found, with_words=False)
    assert changes["speaker_similarity.metric"] == key
    policy = replace(
        POLICY, speaker_similarity=replace(POLICY.speaker_similarity, metric=changes["speaker_similarity.metric"])
    )
    assert (
        scorecard.score(scorecard.clips(evaluation(real)), metric, policy).metrics["speaker_similarity"].metric == key
    )


def test_words_that_pocketsphinx_heard_are_not_scored_by_thresholds_for_whisper() -> None:
    whisper = replace(POLICY, intelligibility=replace(POLICY.intelligibility, metric="wer_whisper"))
    assert (POLICY.intelligibility.recogniser, whisper.intelligibility.recogniser) == ("pocketsphinx", "whisper")
    parts.require_recogniser({"recogniser": POCKETSPHINX_PIN}, POLICY)
    parts.require_recogniser({"recogniser": "0" * 64}, whisper)
    with pytest.raises(HarnessError, match="evaluate again with --recogniser whisper") as caught:
        parts.require_recogniser({"recogniser": POCKETSPHINX_PIN}, whisper)
    assert caught.value.cause == "evaluation_incomplete"


def test_calibration_with_whisper_names_it_in_the_metric_and_its_description() -> None:
    real = tuple(clip(number, overall=3.0 + 0.01 * number, word_edits=number % 2) for number in range(8))
    damaged = tuple(clip(number, overall=1.5 + 0.01 * number, word_edits=5) for number in range(8))
    found = CalibrationEvidence(
        pins=evaluation(real).pins, recogniser="whisper", similarity_metric="ge2e_cosine", reference=REFERENCE, impostors=REFERENCE,
        clip_seconds=None, real_similarity=(0.8, 0.82, 0.84, 0.86), impostor_similarity=(0.4, 0.45, 0.5, 0.55), real=real, damaged=damaged,
    )  # fmt: skip
    changes = proposal.from_evidence(found, with_words=True)
    assert changes["intelligibility.metric"] == "wer_whisper"
    assert changes["intelligibility.description"] == "word error rate of the whisper recogniser, all words together"
