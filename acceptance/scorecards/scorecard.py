"""One evaluated voice as one number: shares of every utterance, their weighted score from 0 to 100, a grade, and a verdict per part.

The score of an utterance is 100 times the weighted sum of its shares, and the score of the voice is the mean over its utterances, so that two
voices can be compared utterance by utterance. A share lies between 0 (the policy's floor) and 1 (its ceiling). For words this bounds one
utterance: from the floor (an error rate near 1) on it is worth nothing, however much too much was heard. A verdict is about the whole instead:
mean similarity and opinion, and the error rate of all words together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from statistics import fmean

from acceptance.failure import HarnessError
from acceptance.policy import Policy
from acceptance.scorecards import parts
from acceptance.scorecards.parts import Measured, Part
from trainer.evaluation.evaluation import Evaluation
from trainer.evaluation.measures import Measures

GRADES = ("A", "B", "C", "D", "F")
VERDICTS = ("pass", "warn", "fail")
_MEASURED = tuple(field.name for field in fields(Measures))


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """One measured utterance."""

    id: str
    prompt: str
    measured: Measured
    file: str = ""
    """The name of the audio file, if the evaluation knows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance(Clip):
    """One scored utterance: its score from 0 to 100, its share of each part of it from 0 to 1, and its faults under the policy's limits."""

    score: float
    parts: Mapping[str, float]
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricScore:
    """One part of the score over all utterances: the measure's name and value, the mean share, and pass, warn or fail."""

    metric: str
    value: float
    share: float
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """Utterances that a production would not take: those with a fault, those below its least grade, and both together, each counted once."""

    faulty: int
    below_grade: int
    utterances: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """What a policy makes of measured utterances."""

    policy_sha256: str
    score: float
    grade: str
    metrics: Mapping[str, MetricScore]
    rejected: Rejected
    rows: tuple[Utterance, ...]


def clips(evaluation: Evaluation) -> list[Clip]:
    """The utterances of an evaluation, in its order."""
    return [
        Clip(
            id=row.id, prompt=row.prompt, file=row.file,
            measured=Measured(**{name: getattr(row, name) for name in _MEASURED}, unusable=() if row.sample_rate else row.faults),
        )
        for row in evaluation.rows
    ]  # fmt: skip


def score(rows: Sequence[Clip], similarity_metric: str, policy: Policy) -> Scorecard:
    """Score utterances; raises HarnessError(evaluation_incomplete) where a part with weight was not measured, or not with the policy's metric."""
    wanted = parts.of(similarity_metric, policy)
    scored = tuple(utterance(row, wanted, policy) for row in rows)
    metrics = {}
    for name, part in wanted.items():
        value = part.value([row.measured for row in scored])
        share = fmean(row.parts[name] for row in scored)
        metrics[name] = MetricScore(metric=part.metric, value=value, share=share, verdict=part.verdict(value))
    mean = fmean(row.score for row in scored)
    return Scorecard(
        policy_sha256=policy.sha256,
        score=mean,
        grade=grade(mean, policy),
        metrics=metrics,
        rejected=_rejected(scored, policy),
        rows=scored,
    )


def rejudged(card: Scorecard, evaluation: Evaluation) -> tuple[str, ...]:
    """A sentence where the policy's limits find other faults than the evaluation's limits did; none where they find the same."""
    other = sum(set(row.faults) != set(old.faults) for row, old in zip(card.rows, evaluation.rows, strict=True))
    said = f"{other} of {len(card.rows)} clips have other faults by the policy's limits (audio) than by those of their evaluation"
    return (said,) if other else ()


def grade(points: float, policy: Policy) -> str:
    """The best grade whose least score is reached; F below all."""
    return next((name for name, least in policy.scorecard.grades.items() if points >= least), GRADES[-1])


def is_below(one: str, least: str) -> bool:
    """Whether a grade is worse than another."""
    return GRADES.index(one) > GRADES.index(least)


def _rejected(rows: Sequence[Utterance], policy: Policy) -> Rejected:
    faulty = [bool(row.faults) for row in rows]
    below = [is_below(grade(row.score, policy), policy.production.min_grade) for row in rows]
    either = sum(one or other for one, other in zip(faulty, below, strict=True))
    return Rejected(faulty=sum(faulty), below_grade=sum(below), utterances=either, share=either / len(rows))


def utterance(row: Clip, wanted: Mapping[str, Part], policy: Policy) -> Utterance:
    """Score one utterance by its parts; raises HarnessError(evaluation_incomplete) if one of them was not measured."""
    for name, part in wanted.items():
        if part.amount(row.measured) is None:
            raise HarnessError(
                f"{name} of clip {row.id} was not measured; evaluate with the texts of all clips, or give {name} no weight",
                cause="evaluation_incomplete",
            )
    shares = {name: part.share(part.value([row.measured])) for name, part in wanted.items()}
    points = 100.0 * sum(policy.scorecard.weight(name) * share for name, share in shares.items())
    faults = row.measured.faults(policy.audio.signal_limits())
    return Utterance(
        id=row.id, prompt=row.prompt, file=row.file, measured=row.measured, score=points, parts=shares, faults=faults
    )
