"""The learning proof: did the voice get better on speech that it never heard, and more so than a wrong voice?"""

from __future__ import annotations

import math
from collections.abc import Mapping

from acceptance.failure import TrainFailed
from acceptance.policy import LearningPolicy
from acceptance.train_status import Learning

LOSSES = ("heldout_loss_start", "heldout_loss_trained", "control_loss_start", "control_loss_trained")


def check(learning: Learning, policy: LearningPolicy) -> None:
    """The claimed losses show learning by the policy's margins, and the claimed improvements follow from them; raises TrainFailed."""
    claims = {key: getattr(learning, key) for key in LOSSES}
    if min(claims.values()) < 0 or learning.heldout_loss_start <= 0 or learning.control_loss_start <= 0:
        raise TrainFailed("a held-out loss is not positive", cause="no_learning", **claims)
    if learning.nonfinite_losses:
        raise TrainFailed(f"{learning.nonfinite_losses} losses were not finite", cause="no_learning", **claims)
    improvement = 1 - learning.heldout_loss_trained / learning.heldout_loss_start
    control = 1 - learning.control_loss_trained / learning.control_loss_start
    evidence = {**claims, "improvement": f"{improvement:.4f}", "control_improvement": f"{control:.4f}"}
    if improvement < policy.min_improvement:
        raise TrainFailed(
            f"held-out loss improved by {improvement:.2%}, the policy asks for {policy.min_improvement:.2%}", cause="no_learning", **evidence
        )
    if improvement - control < policy.min_control_gap:
        raise TrainFailed(
            f"it improved by {improvement:.2%} on the target and {control:.2%} on a wrong voice: this is not the target's voice",
            cause="no_learning",
            **evidence,
        )
    stated = {"improvement": (learning.improvement, improvement), "control_improvement": (learning.control_improvement, control)}
    for key, (claimed, computed) in stated.items():
        if not math.isclose(claimed, computed, rel_tol=policy.remeasure_tolerance, abs_tol=policy.remeasure_tolerance):
            raise TrainFailed(
                f"{key} is claimed as {claimed:.4f}, its losses give {computed:.4f}", cause="artifact_mismatch", **evidence
            )


def check_claims(learning: Learning, measured: Mapping[str, float], policy: LearningPolicy) -> None:
    """The container's losses are those that the host measures from the same files; raises TrainFailed artifact_mismatch."""
    differing = {
        key: f"claimed {getattr(learning, key):.6f}, measured {measured[key]:.6f}"
        for key in LOSSES
        if not math.isclose(getattr(learning, key), measured[key], rel_tol=policy.remeasure_tolerance)
    }
    if differing:
        raise TrainFailed(f"claimed losses are not what the checkpoint gives: {', '.join(differing)}", cause="artifact_mismatch", **differing)
