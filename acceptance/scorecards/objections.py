"""Whether a scored voice may be promoted, whatever it is compared with.

Beside its marks it needs a known making: an acceptance run of the workspace that made its checkpoint and ended in success. Where no run is known
(a voice from elsewhere), the checkpoint itself has to be shown, so that its dataset and its licence are read from it and not only claimed. A run
that was blocked is never outweighed by anything but another run with the same bytes that succeeded.
"""

from __future__ import annotations

from collections.abc import Iterable

from acceptance.policy import Policy
from acceptance.scorecards.origin import BLOCKED, UNKNOWN, Origin
from acceptance.scorecards.scorecard import Rejected, Scorecard, is_below
from trainer.evaluation.evaluation import RECORDED


def refusals(card: Scorecard, source: Origin, policy: Policy) -> tuple[str, ...]:
    """Why the voice may not be promoted; empty where it may."""
    least = policy.scorecard.promotion_minimum_grade
    found = []
    if is_below(card.grade, least):
        found.append(f"grade {card.grade} is below {least} (scorecard.promotion_minimum_grade)")
    found += [f"{name} fails" for name, metric in card.metrics.items() if metric.verdict == "fail"]
    if card.rejected.share > policy.production.max_rejected_share:
        found.append(f"a production would reject {rejected(card.rejected, len(card.rows), policy)}")
    unknown = [
        name
        for name, digest in (("checkpoint", source.checkpoint_sha256), ("dataset", source.manifest_sha256))
        if not digest
    ]
    if unknown and policy.scorecard.require_origin:
        action = "voice say --lines records the checkpoint, voice scorecard takes --manifest"
        found.append(f"{' and '.join(unknown)} unknown (scorecard.require_origin; {action})")
    return (*found, *_of_making(source, policy))


def notices(source: Origin) -> tuple[str, ...]:
    """What a promotion would rest on that was not shown."""
    if source.checkpoint_sha256 and source.acceptance.status == UNKNOWN:
        return ("no acceptance run of this checkpoint is known here: that its training ended well was not shown",)
    return ()


def _of_making(source: Origin, policy: Policy) -> Iterable[str]:
    run = source.acceptance
    if run.status == BLOCKED:
        if run.first_failed_step:
            yield f"the acceptance run that made the checkpoint, {run.run_id}, was blocked at {run.first_failed_step} (voice report {run.run_id})"
        else:
            yield f"the acceptance run that made the checkpoint, {run.run_id}, did not run every step (pytest acceptance -q does)"
    elif (
        run.status == UNKNOWN
        and policy.scorecard.require_origin
        and source.checkpoint_sha256
        and not source.checkpoint_read
    ):
        yield (
            "no acceptance run of the checkpoint is known here, and the file itself was not read (scorecard.require_origin; voice scorecard "
            "takes --checkpoint)"
        )
    if source.licence and not source.licence.promotable:
        yield f"its licence, {source.licence.name}, forbids it, and the objective did not allow it (allow_promotion)"
    if source.checkpoint_sha256 and source.checkpoint_origin != RECORDED and policy.scorecard.require_origin:
        yield (
            f"that checkpoint {source.checkpoint_sha256[:12]} spoke the clips is {source.checkpoint_origin or 'said'}, not recorded "
            "(scorecard.require_origin: evaluate again where spoken.json lies beside the clips, as voice say --lines leaves it, else speak them "
            "again with that)"
        )


def rejected(found: Rejected, utterances: int, policy: Policy) -> str:
    """How many of the utterances a production would not take, and why."""
    rules = policy.production
    return (
        f"{found.utterances} of {utterances} utterances ({100.0 * found.share:.1f} %: {found.faulty} with a fault, {found.below_grade} below "
        f"production.min_grade {rules.min_grade}; production.max_rejected_share is {100.0 * rules.max_rejected_share:g} %)"
    )
