"""The learning proof: enough better on held-out speech, and more so than on a wrong voice."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from acceptance import policy
from acceptance.evidence.learning_proof import LOSSES, check, check_claims, check_evidence, check_parts
from acceptance.evidence.train_status import Learning
from acceptance.failure import DataBlocked, TrainFailed
from acceptance.policy import LearningPolicy

POLICY = LearningPolicy(min_improvement=0.1, min_control_gap=0.02, remeasure_tolerance=0.001)
losses = st.floats(0.001, 1000.0)


def learning(
    start: float = 4.0, trained: float = 1.0, control_start: float = 4.0, control: float = 3.0, nonfinite: int = 0
) -> Learning:
    return Learning(
        heldout_loss_start=start, heldout_loss_trained=trained, improvement=1 - trained / start if start else 0.0,
        control_loss_start=control_start, control_loss_trained=control,
        control_improvement=1 - control / control_start if control_start else 0.0, nonfinite_losses=nonfinite, nonfinite_gradients=0,
    )  # fmt: skip


def refusal(claim: Learning) -> str:
    with pytest.raises(TrainFailed) as caught:
        check(claim, POLICY)
    assert caught.value.cause == "no_learning"
    return caught.value.message


@given(losses, losses, losses, losses)
def test_the_verdict_follows_from_the_losses_alone(
    start: float, trained: float, control_start: float, control: float
) -> None:
    improvement, other = 1 - trained / start, 1 - control / control_start
    assume(min(abs(improvement - 0.1), abs(improvement - other - 0.02)) > 1e-9)
    claim = learning(start, trained, control_start, control)
    if improvement >= 0.1 and improvement - other >= 0.02:
        check(claim, POLICY)
    else:
        refusal(claim)


def test_what_the_job_says_of_its_improvement_is_not_believed() -> None:
    claim = learning(trained=4.0).model_copy(update={"improvement": 0.9})
    assert refusal(claim) == "held-out loss improved by 0.00%, the policy asks for 10.00%"


def test_improving_as_much_on_a_wrong_voice_is_no_learning() -> None:
    assert "this is not the target's voice" in refusal(learning(control=1.0))


@pytest.mark.parametrize(
    "claim", [learning(start=0.0), learning(control_start=0.0), learning(trained=-1.0), learning(control=-1.0)]
)
def test_losses_that_no_loss_can_have_are_refused(claim: Learning) -> None:
    assert refusal(claim) == "a held-out loss is not positive"


def test_a_loss_that_was_not_finite_is_never_masked() -> None:
    assert refusal(learning(nonfinite=1)) == "1 losses were not finite"


def test_a_gradient_that_was_not_finite_is_never_masked() -> None:
    assert (
        refusal(learning().model_copy(update={"nonfinite_gradients": 7})) == "7 elements of gradients were not finite"
    )


PARTS = {
    "frames_loss_start": 1.4,
    "frames_loss_trained": 1.1,
    "prosody_loss_start": 0.4,
    "prosody_loss_trained": 0.4,
    "speaker_difference": 0.0,
}


def test_a_voice_whose_parts_hold_is_learning() -> None:
    check_parts({**dict.fromkeys(LOSSES, 1.0), **PARTS}, POLICY)
    check_parts(dict.fromkeys(LOSSES, 1.0), POLICY)  # a backbone that does not measure them


@pytest.mark.parametrize("part", ["frames", "prosody"])
@pytest.mark.parametrize("trained", [1.6, math.nan, math.inf])
def test_a_network_that_is_worse_than_its_start_is_no_learning(part: str, trained: float) -> None:
    with pytest.raises(TrainFailed, match=f"the network for {part} is worse") as caught:
        check_parts({**PARTS, f"{part}_loss_trained": trained}, POLICY)
    assert caught.value.cause == "no_learning"


@pytest.mark.parametrize("difference", [0.06, math.nan])
def test_somebody_elses_speaker_in_the_checkpoint_is_no_learning(difference: float) -> None:
    with pytest.raises(TrainFailed, match="the speaker in the checkpoint") as caught:
        check_parts({**PARTS, "speaker_difference": difference}, POLICY)
    assert caught.value.cause == "no_learning"


@pytest.mark.parametrize(
    "found", [{"heldout_utterances": 1, "heldout_seconds": 20.0}, {"heldout_utterances": 5, "heldout_seconds": 4.9}]
)
def test_a_proof_on_too_little_speech_is_none(found: dict[str, float]) -> None:
    with pytest.raises(DataBlocked, match="the learning proof rests on") as caught:
        check_evidence(found, POLICY)
    assert caught.value.cause == "too_little_speech"


def test_enough_held_out_speech_is_evidence() -> None:
    check_evidence({"heldout_utterances": 2, "heldout_seconds": 5.0}, POLICY)


@given(st.sampled_from(LOSSES), st.sampled_from([1.0005, 0.9995, 1.01, 0.99, math.nan, math.inf, 0.0]))
def test_claims_must_be_what_the_host_measures(key: str, factor: float) -> None:
    claim = learning()
    measured = {name: getattr(claim, name) for name in LOSSES}
    measured[key] *= factor
    if abs(factor - 1) < 0.001:
        check_claims(claim, measured, POLICY)
    else:
        with pytest.raises(TrainFailed, match=key) as caught:
            check_claims(claim, measured, POLICY)
        assert caught.value.cause == "artifact_mismatch"


@pytest.mark.parametrize("key", ["improvement", "control_improvement"])
def test_an_improvement_that_its_own_losses_contradict_is_a_mismatch(key: str) -> None:
    with pytest.raises(TrainFailed, match=key) as caught:
        check(learning().model_copy(update={key: 0.99}), POLICY)
    assert caught.value.cause == "artifact_mismatch"


def test_the_policy_that_is_delivered_loads_and_asks_for_something() -> None:
    thresholds = policy.load().learning
    assert 0 < thresholds.min_improvement < 1
    assert 0 < thresholds.min_control_gap < 1
    assert 0 < thresholds.remeasure_tolerance < 0.1
