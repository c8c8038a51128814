"""Whether a scored voice may be promoted, whatever it is compared with."""

from __future__ import annotations

from typing import Protocol

from acceptance.history.scorecard import Rejected, Scorecard, is_below
from acceptance.policy import Policy


class Sourced(Protocol):
    """What is known of where a voice came from: an `Origin`, or a `Run`."""

    @property
    def checkpoint_sha256(self) -> str | None:
        """Of the voice's checkpoint; None where nobody said."""
    @property
    def manifest_sha256(self) -> str | None:
        """Of the dataset's manifest that it was trained on; None where nobody said."""


def refusals(card: Scorecard, source: Sourced, policy: Policy) -> tuple[str, ...]:
    """Why the voice may not be promoted; empty where it may."""
    least = policy.scorecard.promotion_minimum_grade
    found = [f"grade {card.grade} is below {least} (scorecard.promotion_minimum_grade)"] if is_below(card.grade, least) else []
    found += [f"{name} fails" for name, metric in card.metrics.items() if metric.verdict == "fail"]
    if card.rejected.share > policy.production.max_rejected_share:
        found.append(f"a production would reject {rejected(card.rejected, len(card.rows), policy)}")
    unknown = [name for name, digest in (("checkpoint", source.checkpoint_sha256), ("dataset", source.manifest_sha256)) if not digest]
    if unknown and policy.scorecard.require_origin:
        found.append(f"{' and '.join(unknown)} unknown (scorecard.require_origin; voice scorecard takes --checkpoint and --manifest)")
    return tuple(found)


def rejected(found: Rejected, utterances: int, policy: Policy) -> str:
    """How many of the utterances a production would not take, and why."""
    rules = policy.production
    return (
        f"{found.utterances} of {utterances} utterances ({100.0 * found.share:.1f} %: {found.faulty} with a fault, {found.below_grade} below "
        f"production.min_grade {rules.min_grade}; production.max_rejected_share is {100.0 * rules.max_rejected_share:g} %)"
    )
