"""Whether one version of a voice is better than another, and whether it should take its place.

Two things make scores differ although nothing was gained. Other prompts would have given other means: the paired bootstrap over common
prompts says by how much. And the same recipe trained from another seed gives another voice: an interval over prompts cannot know that spread,
however many prompts there are, because both voices are fixed while prompts are drawn. Two seeds may well differ beyond their interval. The
policy's `scorecard.min_difference` stands for that spread: the difference that repeated runs of one recipe stay below, calibrated from such
runs. The second is called better only where both hold: the interval excludes zero, and the difference reaches min_difference. Each of the two alone
would call one seed better than another too often; together they do so at most as often as the stricter one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from acceptance.failure import HarnessError
from acceptance.policy import Policy
from acceptance.scorecards import bootstrap, objections, parts, provenance, scorecard, speaking
from acceptance.scorecards.bootstrap import Difference
from acceptance.scorecards.parts import Part
from acceptance.scorecards.runs import Run
from acceptance.scorecards.scorecard import MetricScore, Scorecard, Utterance
from trainer.evaluation.evaluation import check_comparable

_SCORE_ROUNDING = 0.001
"""Points: measures are kept with six decimals, and a share may follow from a narrow range of them."""
LIMITS = "signal_limits"
"""The pin of the faults' limits."""


class Recommendation(StrEnum):
    """What to do with B."""

    PROMOTE = "promote"
    """The second is better than the first, good enough by itself, another checkpoint, and spoken in the same way."""
    HOLD = "hold"
    """The second is worse, or better but may not be promoted."""
    CANNOT_TELL = "cannot tell"
    """The two cannot be told apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricComparison:
    """One part of the score over the common prompts."""

    a: MetricScore
    b: MetricScore
    difference: Difference
    """Of the values, in the metric's own unit."""
    points: Difference
    """What it adds to the difference of the scores; those of all parts sum to it."""
    better: int
    """1 where B is better beyond the prompts' interval, -1 where A is, else 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two runs side by side; differences are B minus A."""

    a: Run
    b: Run
    whole_a: Scorecard
    """All of A's prompts under the policy in force."""
    whole_b: Scorecard
    score_a: float
    """Over the common prompts, as all that follows."""
    score_b: float
    score: Difference
    metrics: dict[str, MetricComparison]
    pairs: Sequence[tuple[Utterance, Utterance]]
    """The utterances of every common prompt."""
    only_a: int
    only_b: int
    recommendation: Recommendation
    reasons: tuple[str, ...]
    notices: tuple[str, ...]

    @property
    def prompts(self) -> int:
        """So many prompts are common."""
        return len(self.pairs)


def compare(a: Run, b: Run, policy: Policy) -> Comparison:
    """Compare two runs under one policy.

    The limits of the faults may differ: both are held to the policy's. Raises HarnessError(pins_differ) where they were measured differently
    otherwise, HarnessError(history_invalid) for a record that contradicts itself, HarnessError(no_common_prompts) for less than two common prompts.
    """
    # No number depends on the limits.
    check_comparable(
        *(replace(run, pins={name: pin for name, pin in run.pins.items() if name != LIMITS}) for run in (a, b))
    )
    parts.require_recogniser(a.pins, policy)
    whole_a, whole_b = (_scored_again(run, policy) for run in (a, b))
    pairs = _common(whole_a.rows, whole_b.rows)
    if len(pairs) < 2:
        raise HarnessError(
            f"{a.run_id} and {b.run_id} have {len(pairs)} prompts in common; evaluate both with the same texts",
            cause="no_common_prompts",
        )
    common_a, common_b = (scorecard.score(rows, a.similarity_metric, policy) for rows in zip(*pairs, strict=True))
    score, metrics = _differences(common_a, common_b, parts.of(a.similarity_metric, policy), policy)
    recommendation, reasons = _decide(score, len(pairs), whole_b, objections.refusals(whole_b, b, policy), policy)
    doubts = speaking.doubts(a, b)
    if doubts and recommendation is Recommendation.PROMOTE:
        recommendation, reasons = Recommendation.HOLD, reasons[:-1]
    reasons = (*reasons, *doubts)
    if recommendation is not Recommendation.CANNOT_TELL:
        reasons = (*reasons, _why(metrics))
    return Comparison(
        a=a, b=b, whole_a=whole_a, whole_b=whole_b, score_a=common_a.score, score_b=common_b.score, score=score, metrics=metrics,
        pairs=pairs, only_a=len(a.rows) - len(pairs), only_b=len(b.rows) - len(pairs),
        recommendation=recommendation, reasons=reasons, notices=tuple(_notices(a, b, pairs, policy)),
    )  # fmt: skip


def _scored_again(run: Run, policy: Policy) -> Scorecard:
    """The run under this policy, which must give what the record says where it was scored under the same."""
    found = scorecard.score(run.rows, run.similarity_metric, policy)
    same = found.grade == run.grade and abs(found.score - run.score) <= _SCORE_ROUNDING
    if run.policy_sha256 == policy.sha256 and not same:
        raise HarnessError(
            f"the record of {run.run_id} says {run.score:.2f}, grade {run.grade}, but its rows give {found.score:.2f}, grade {found.grade}; "
            "score its evaluation again: voice scorecard", cause="history_invalid",
        )  # fmt: skip
    return found


def _common(a: Sequence[Utterance], b: Sequence[Utterance]) -> list[tuple[Utterance, Utterance]]:
    """Pairs that say the same, in A's order; where a prompt is said several times, first with first."""
    others = _keyed(b)
    return [(row, others[key]) for key, row in _keyed(a).items() if key in others]


def _keyed(rows: Sequence[Utterance]) -> dict[tuple[str, int], Utterance]:
    seen: Counter[str] = Counter()
    keyed = {}
    for row in rows:
        words = " ".join(row.prompt.split()) or f"\0{row.id}"  # without a text its name says what it is
        keyed[words, seen[words]] = row
        seen[words] += 1
    return keyed


def _differences(
    a: Scorecard, b: Scorecard, wanted: Mapping[str, Part], policy: Policy
) -> tuple[Difference, dict[str, MetricComparison]]:
    """Score and metrics over rows that belong together, all from one resampling."""
    cards = (a, b)
    measures = [bootstrap.mean_pairs(*([row.score for row in card.rows] for card in cards))]
    for name, part in wanted.items():
        columns = [[take(row.measured) for row in card.rows] for card in cards for take in (part.amount, part.weight)]
        added = ([100.0 * policy.scorecard.weight(name) * row.parts[name] for row in card.rows] for card in cards)
        measures += [bootstrap.rate_pairs(*columns), bootstrap.mean_pairs(*added)]
    score, *found = bootstrap.differences(
        measures, confidence=policy.scorecard.confidence, resamples=policy.scorecard.resamples
    )
    metrics = {}
    for (name, part), difference, points in zip(wanted.items(), found[::2], found[1::2], strict=True):
        metrics[name] = MetricComparison(
            a=a.metrics[name],
            b=b.metrics[name],
            difference=difference,
            points=points,
            better=part.better * difference.sign,
        )
    return score, metrics


def _decide(
    score: Difference, prompts: int, b: Scorecard, refused: Sequence[str], policy: Policy
) -> tuple[Recommendation, tuple[str, ...]]:
    rules = policy.scorecard
    anyway = (f"the second could not be promoted anyway: {', '.join(refused)}",) if refused else ()
    interval = f"{rules.confidence * 100:g} % interval {score.low:+.2f} to {score.high:+.2f}"
    said = f"the second scores {score.value:+.2f} points against the first, {interval}"
    if prompts < rules.min_common_prompts:
        few = f"only {prompts} prompts are common (scorecard.min_common_prompts is {rules.min_common_prompts})"
        return Recommendation.CANNOT_TELL, (said, few, *anyway)
    if abs(score.value) < rules.min_difference:
        spread = f"two runs of one recipe may differ by as much: less than scorecard.min_difference, {rules.min_difference:g}"
        return Recommendation.CANNOT_TELL, (said, spread, *anyway)
    if not score.sign:
        return Recommendation.CANNOT_TELL, (said, "other prompts might reverse it: the interval includes zero", *anyway)
    beyond = f"more than prompts and repeated runs explain (scorecard.min_difference {rules.min_difference:g})"
    if score.sign < 0:
        return Recommendation.HOLD, (said, f"the second is worse, by {beyond}", *anyway)
    better = f"the second is better, by {beyond}"
    if refused:
        return Recommendation.HOLD, (said, better, f"but it may not be promoted: {', '.join(refused)}")
    least = f"scorecard.promotion_minimum_grade, {rules.promotion_minimum_grade}"
    return Recommendation.PROMOTE, (
        said,
        better,
        f"its grade, {b.grade}, is no worse than {least}, and no metric fails",
    )


def _why(metrics: dict[str, MetricComparison]) -> str:
    parts = sorted(metrics.items(), key=lambda item: -abs(item[1].points.value))
    return "of the difference " + ", ".join(
        f"{round(found.points.value, 2) + 0.0:+.2f} is {name}" for name, found in parts
    )


def _notices(a: Run, b: Run, pairs: Sequence[tuple[Utterance, Utterance]], policy: Policy) -> Iterable[str]:
    rescored = [run.run_id for run in (a, b) if run.policy_sha256 != policy.sha256]
    if rescored:
        yield f"scored under another policy, and scored again under the one in force: {', '.join(rescored)}"
    if a.pins.get(LIMITS) != b.pins.get(LIMITS):
        yield "they were evaluated with other limits of the signal; the faults of both are judged again by those in force (audio)"
    if len(pairs) < max(len(a.rows), len(b.rows)):
        yield (
            f"{len(pairs)} prompts are common; the first says {len(a.rows)}, the second {len(b.rows)}. Differences are over the common ones, "
            "grades over all"
        )
    if all(one.measured.audio_sha256 == other.measured.audio_sha256 for one, other in pairs):
        yield "the two are the same audio"
    if a.manifest_sha256 and b.manifest_sha256 and a.manifest_sha256 != b.manifest_sha256:
        yield "they were trained on different datasets (voice manifest compare names the differences)"
    yield from (
        f"{name}: {notice}" for name, run in (("first", a), ("second", b)) for notice in objections.notices(run)
    )
    yield from provenance.notices(b.pins, policy)
