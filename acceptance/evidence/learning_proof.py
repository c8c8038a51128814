"""The learning proof: did the voice get better on speech that it never heard, and more so than a wrong voice?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from acceptance.evidence.train_status import PAIR, Learning
from acceptance.failure import DataBlocked, TrainFailed
from acceptance.policy import LearningPolicy

LOSSES = ("heldout_loss_start", "heldout_loss_trained", "control_loss_start", "control_loss_trained")


def check(learning: Learning, policy: LearningPolicy) -> None:
    """The claimed losses show learning by the policy's margins, and the claimed improvements follow from them; raises TrainFailed."""
    claims = {key: getattr(learning, key) for key in LOSSES}
    if min(claims.values()) < 0 or learning.heldout_loss_start <= 0 or learning.control_loss_start <= 0:
        raise TrainFailed("a held-out loss is not positive", cause="no_learning", **claims)
    for what, count in (("losses", learning.nonfinite_losses), ("elements of gradients", learning.nonfinite_gradients)):
        if count:
            raise TrainFailed(f"{count} {what} were not finite", cause="no_learning", **claims)
    improvement = 1 - learning.heldout_loss_trained / learning.heldout_loss_start
    control = 1 - learning.control_loss_trained / learning.control_loss_start
    evidence = {**claims, "improvement": f"{improvement:.4f}", "control_improvement": f"{control:.4f}"}
    if improvement < policy.min_improvement:
        problem = f"held-out loss improved by {improvement:.2%}, the policy asks for {policy.min_improvement:.2%}"
        raise TrainFailed(problem, cause="no_learning", **evidence)
    if improvement - control < policy.min_control_gap:
        both = f"it improved by {improvement:.2%} on the target and {control:.2%} on a wrong voice"
        raise TrainFailed(f"{both}: this is not the target's voice", cause="no_learning", **evidence)
    for key, computed in (("improvement", improvement), ("control_improvement", control)):
        claimed = getattr(learning, key)
        if not math.isclose(claimed, computed, rel_tol=policy.remeasure_tolerance, abs_tol=policy.remeasure_tolerance):
            problem = f"{key} is claimed as {claimed:.4f}, its losses give {computed:.4f}"
            raise TrainFailed(problem, cause="artifact_mismatch", **evidence)


def check_evidence(found: Mapping[str, Any], policy: LearningPolicy) -> None:
    """The losses are of enough held-out speech; raises DataBlocked too_little_speech. What was not counted is not judged."""
    utterances = found.get("heldout_utterances")
    seconds = found.get("heldout_seconds")
    utterances = policy.min_heldout_utterances if utterances is None else utterances
    seconds = policy.min_heldout_s if seconds is None else seconds
    if utterances < policy.min_heldout_utterances or seconds < policy.min_heldout_s:
        raise DataBlocked(
            f"the learning proof rests on {utterances} held-out utterances of {seconds:.1f} s, "
            f"the policy asks for {policy.min_heldout_utterances} of {policy.min_heldout_s:g} s",
            cause="too_little_speech",
        )


def check_parts(found: Mapping[str, Any], policy: LearningPolicy) -> None:
    """No network became worse than its start, and the speaker is the recording's, where these were measured; raises TrainFailed no_learning."""
    for part in sorted(key.removesuffix(PAIR[0]) for key in found if key.endswith(PAIR[0]) and key not in LOSSES):
        start, trained = (found[part + end] for end in PAIR)
        if not trained <= start * (1 + policy.max_part_growth):
            raise TrainFailed(
                f"the network for {part} is worse than its start on held-out speech: its loss went from {start:.4f} to {trained:.4f}",
                cause="no_learning",
            )
    difference = found.get("speaker_difference") or 0.0
    if not difference <= policy.max_speaker_difference:
        raise TrainFailed(
            f"the speaker in the checkpoint is {difference:.3f} from the one in the recording, the policy allows {policy.max_speaker_difference:g}",
            cause="no_learning",
        )


def check_claims(learning: Learning, measured: Mapping[str, float], policy: LearningPolicy) -> None:
    """The container's losses are those that the host measures from the same files; raises TrainFailed artifact_mismatch."""
    differing = {
        key: f"claimed {getattr(learning, key):.6f}, measured {measured[key]:.6f}"
        for key in LOSSES
        if not math.isclose(getattr(learning, key), measured[key], rel_tol=policy.remeasure_tolerance)
    }
    if differing:
        problem = f"claimed losses are not what the checkpoint gives: {', '.join(differing)}"
        raise TrainFailed(problem, cause="artifact_mismatch", **differing)
