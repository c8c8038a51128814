"""The summary of a batch, `production_report/1`: equal batches give equal bytes; what differs from run to run lies in `timing.json`."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from acceptance.policy import Policy, schema
from acceptance.production.delivery import document
from acceptance.production.take_verdicts import JudgedTake, TakeVerdict
from trainer.files import strict_json
from trainer.files.atomic_file import write_atomically
from trainer.production.plan import Plan

SCHEMA = "production_report/1"
NAME = "batch_report.json"
_SHOWN = 10
_COUNTED = {TakeVerdict.APPROVED: "approved", TakeVerdict.REJECTED: "rejected", TakeVerdict.QUARANTINE: "quarantined"}
_MEANS = ("score", "similarity", "overall", "wer", "seconds")
_DECIMALS = 6


@dataclass(slots=True)
class Summary:
    """Counts and means of the takes that passed through `counted`; the memory does not grow with them."""

    verdicts: Counter[TakeVerdict] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    prompts: int = 0
    prompts_approved: int = 0
    _sums: Counter[str] = field(default_factory=Counter)
    _best: list[tuple[Any, ...]] = field(default_factory=list)
    _worst: list[tuple[Any, ...]] = field(default_factory=list)
    _last: str | None = None

    def counted(self, takes: Iterable[JudgedTake]) -> Iterator[JudgedTake]:
        """The same takes, in their order, counted as they pass."""
        for number, one in enumerate(takes):
            self._count(number, one)
            yield one

    def _count(self, number: int, one: JudgedTake) -> None:
        self.verdicts[one.verdict] += 1
        self.reasons.update({reason.kind for reason in one.reasons})
        self.prompts += one.row.id != self._last
        self._last = one.row.id
        self.prompts_approved += one.best
        score = one.score or 0.0
        if one.verdict is TakeVerdict.APPROVED:
            values = {**document(one), "wer": one.row.wer or 0.0}
            for name in _MEANS:
                self._sums[name] += values[name]
            _keep(self._best, (score, -number, one))
        else:
            _keep(self._worst, (-score, -number, one))

    def counts(self, left_out: int) -> dict[str, int]:
        """How many of what, by the names of the report."""
        return {
            "generated": self.verdicts.total(),
            **{name: self.verdicts[verdict] for verdict, name in _COUNTED.items()},
            "left_out": left_out,
            "prompts": self.prompts,
            "prompts_approved": self.prompts_approved,
        }

    def means(self) -> dict[str, float] | None:
        """Of the approved takes; None if there is none."""
        approved = self.verdicts[TakeVerdict.APPROVED]
        return {name: round(self._sums[name] / approved, _DECIMALS) for name in _MEANS} if approved else None

    def best(self) -> list[dict[str, Any]]:
        """The approved takes with the highest scores."""
        return [document(one) for *_, one in sorted(self._best, key=lambda each: each[:2], reverse=True)]

    def worst(self) -> list[dict[str, Any]]:
        """The others with the lowest scores, with their reasons; those without a score first."""
        return [document(one) for *_, one in sorted(self._worst, key=lambda each: each[:2], reverse=True)]


def write(batch: Path, plan: Plan, summary: Summary, policy: Policy) -> dict[str, Any]:
    """Write `batch_report.json` and return what is in it; raises TrainingError(disk_full | output_not_writable)."""
    found = {
        "schema": SCHEMA,
        "plan": {**asdict(plan), "plan_sha256": plan.sha256},
        "counts": summary.counts(plan.left_out.count),
        "means": summary.means(),
        "reasons": dict(sorted(summary.reasons.items())),
        "best": summary.best(),
        "worst": summary.worst(),
        "policy": schema.plain(policy.production),
        "cost": None,
    }
    write_atomically(batch / NAME, strict_json.readable(found))
    return found


def _keep(heap: list[tuple[Any, ...]], one: tuple[Any, ...]) -> None:
    """Add one, and let the smallest go when they are too many; the numbers are never equal, so takes are not compared."""
    if len(heap) < _SHOWN:
        heapq.heappush(heap, one)
    else:
        heapq.heappushpop(heap, one)
