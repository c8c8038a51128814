"""What becomes of each take of a batch: approved, rejected or quarantine, with a sentence for every reason.

Quarantine is for what could not be judged: nobody knows whether it is good. Every number is one of the policy's section `production`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum

from acceptance.policy import Policy
from acceptance.policy.sections import ProductionPolicy
from acceptance.scorecards import parts, scorecard
from acceptance.scorecards.parts import Measured, Part
from acceptance.scorecards.scorecard import Clip
from trainer.evaluation.measures import Measures
from trainer.production.takes import TakeRow

_MEASURES = tuple(name for each in fields(Measures) if (name := each.name) != "audio_sha256")


class TakeVerdict(StrEnum):
    """Where a take goes; the value is the name of its folder."""

    # Good enough to deliver.
    APPROVED = "approved"
    # Judged, and not good enough.
    REJECTED = "rejected"
    # It could not be judged; a person may listen.
    QUARANTINE = "quarantine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a take is not approved: a stable kind to count, and a sentence with the number and the limit."""

    kind: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedTake:
    """A take with its verdict; without a score where nothing was measured."""

    row: TakeRow
    verdict: TakeVerdict
    reasons: tuple[Reason, ...] = ()
    score: float | None = None
    grade: str | None = None
    best: bool = False
    """Of the approved takes of its prompt it is the one with the highest score."""
    shares: Mapping[str, float] = field(default_factory=dict)


class TakeFilter:
    """Judges takes by one policy; raises HarnessError(evaluation_incomplete) where that has thresholds of another speaker encoder."""

    def __init__(self, policy: Policy, similarity_metric: str, *, best_of: bool) -> None:
        self._policy, self._rules, self._best_of = policy, policy.production, best_of
        self._parts: Mapping[str, Part] = parts.of(similarity_metric, policy)

    def judged(self, rows: Iterable[TakeRow]) -> Iterator[JudgedTake]:
        """Every take in its order; the takes of a prompt must follow each other."""
        for _, takes in itertools.groupby(rows, key=lambda row: row.id):
            yield from self._of_one_prompt([self._judge(row) for row in takes])

    def _of_one_prompt(self, takes: list[JudgedTake]) -> list[JudgedTake]:
        approved = [one for one in takes if one.verdict is TakeVerdict.APPROVED]
        best = max(approved, key=lambda one: (one.score or 0.0, -one.row.take), default=None)
        return [self._beside(one, best) for one in takes]

    def _beside(self, one: JudgedTake, best: JudgedTake | None) -> JudgedTake:
        if one is best:
            return replace(one, best=True)
        if best is None or not self._best_of or one.verdict is not TakeVerdict.APPROVED:
            return one
        reason = Reason(kind="better_take", sentence=f"a better take exists: t{best.row.take}")
        return replace(one, verdict=TakeVerdict.REJECTED, reasons=(reason,))

    def _judge(self, row: TakeRow) -> JudgedTake:
        if row.error is not None:
            reason = Reason(kind=row.error.cause, sentence=f"not judged: {row.error.message} [{row.error.cause}]")
            return JudgedTake(row=row, verdict=TakeVerdict.QUARANTINE, reasons=(reason,))
        scored = scorecard.utterance(
            Clip(id=row.id, prompt=row.text, measured=_measured(row)), self._parts, self._policy
        )
        grade = scorecard.grade(scored.score, self._policy)
        unsure = tuple(_unsure(row, self._rules))
        bad = tuple(_bad(row, self._rules, scored.faults, scored.score, grade))
        verdict = TakeVerdict.QUARANTINE if unsure else TakeVerdict.REJECTED if bad else TakeVerdict.APPROVED
        return JudgedTake(
            row=row,
            verdict=verdict,
            reasons=(*unsure, *bad),
            score=round(scored.score, 6),
            grade=grade,
            shares=scored.parts,
        )


def _measured(row: TakeRow) -> Measured:
    return Measured(**{name: getattr(row, name) for name in _MEASURES}, audio_sha256=row.sha256 or "", unusable=())


def _unsure(row: TakeRow, rules: ProductionPolicy) -> Iterator[Reason]:
    """Why it could not be judged."""
    if row.seconds < rules.min_judged_s:
        yield Reason(
            kind="too_short",
            sentence=f"{row.seconds:.2f} s are too short to judge, below {rules.min_judged_s:g} (production.min_judged_s)",
        )
    wer, words = row.wer, row.words or 0
    if wer is None or wer <= rules.max_wer:
        return
    few = "1 word is" if words == 1 else f"{words} words are"
    if words < rules.min_judged_words:
        yield Reason(
            kind="few_words",
            sentence=f"{few} too few to judge a word error rate of {wer:.2f} by, below {rules.min_judged_words} "
            "(production.min_judged_words)",
        )
    elif wer < rules.reject_wer:
        yield Reason(
            kind="recogniser_unsure",
            sentence=f"the recogniser is unsure: word error rate {_told(wer, rules.max_wer)} is above {rules.max_wer:g} (production.max_wer)",
        )


def _bad(row: TakeRow, rules: ProductionPolicy, faults: tuple[str, ...], score: float, grade: str) -> Iterator[Reason]:
    """Why it is not good enough."""
    if row.similarity is not None and row.similarity < rules.min_similarity:
        yield _below("similarity", row.similarity, rules.min_similarity, "min_similarity")
    if row.overall is not None and row.overall < rules.min_realism:
        yield _below("realism", row.overall, rules.min_realism, "min_realism")
    wer = row.wer
    if wer is not None and wer >= rules.reject_wer and (row.words or 0) >= rules.min_judged_words:
        yield Reason(
            kind="words",
            sentence=f"word error rate {wer:.2f} is not below {rules.reject_wer:g} (production.reject_wer)",
        )
    if len(faults) > rules.max_faults:
        yield Reason(
            kind="faults",
            sentence=f"faults of the signal: {', '.join(faults)}; more than {rules.max_faults} (production.max_faults)",
        )
    if scorecard.is_below(grade, rules.min_grade):
        yield Reason(
            kind="grade",
            sentence=f"grade {grade} (score {score:.1f}) is below {rules.min_grade} (production.min_grade)",
        )


def _below(kind: str, value: float, least: float, key: str) -> Reason:
    return Reason(kind=kind, sentence=f"{kind} {_told(value, least)} is below {least:g} (production.{key})")


def _told(value: float, limit: float) -> str:
    """A number with two decimals, or with as many as it takes to tell it from the limit."""
    return next((text for digits in range(2, 6) if float(text := f"{value:.{digits}f}") != limit), f"{value:g}")
