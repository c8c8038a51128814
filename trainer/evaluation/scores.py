"""Rows of a benchmark: groups of clips, each evaluated against the same real clips, as one table and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from trainer.evaluation import evaluate
from trainer.evaluation.estimate import UNKNOWN, Estimate
from trainer.evaluation.evaluate import OnTotal
from trainer.evaluation.evaluation import Clips, EvaluatedClip, rounded, summarise
from trainer.evaluation.evaluation_tables import SUMMARY
from trainer.evaluation.faults import SignalLimits
from trainer.evaluation.judging import Task
from trainer.evaluation.prompts import Item
from trainer.files import markdown, strict_json

SCHEMA = "benchmark_scores/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Clips that become one row; with `only_voice` their similarity is all that is judged."""

    name: str
    items: Sequence[Item]
    only_voice: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What was found in one group; `summary` as that of an evaluation."""

    name: str
    clips: tuple[EvaluatedClip, ...]
    summary: Mapping[str, Estimate]

    @property
    def seconds(self) -> float:
        """Mean length of a clip."""
        return float(np.mean([one.seconds for one in self.clips]))

    @property
    def faults(self) -> list[str]:
        """Faults of single clips, as `clip: fault`."""
        return [f"{one.id}: {fault}" for one in self.clips for fault in one.faults]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """The rows, and what every number depends on beside the clips."""

    pins: Mapping[str, str]
    reference: Clips
    rows: tuple[Row, ...]


def measure(
    groups: Sequence[Group],
    reference: Mapping[str, Path],
    *,
    limits: SignalLimits,
    processes: int = 1,
    on_total: OnTotal | None = None,
) -> Scores:
    """One row for every group, in order; raises as `evaluate.compare`."""
    tasks = [
        [Task(item=item, limits=limits, encoder=None, only_voice=group.only_voice) for item in group.items]
        for group in groups
    ]
    found = evaluate.compare(tasks, reference, limits=limits, processes=processes, on_total=on_total)
    rows = [
        Row(name=group.name, clips=clips, summary=_summary(group, clips))
        for group, clips in zip(groups, found.groups, strict=True)
    ]
    return Scores(pins=found.pins, reference=found.reference, rows=tuple(rows))


def table(rows: Sequence[Row]) -> str:
    """A line for every row, with half the width of each 95 % interval behind its value."""
    head = ["voice", "clips", "mean s", *(heading for _, _, heading, _ in SUMMARY)]
    cells = [
        [markdown.cell(row.name), str(len(row.clips)), f"{row.seconds:.1f}"]
        + [_cell(row.summary.get(name), decimals) for name, _, _, decimals in SUMMARY]
        for row in rows
    ]
    return markdown.table(head, cells) + "\n"


def document(scores: Scores, facts: Mapping[str, object]) -> bytes:
    """Canonical JSON of the scores and `facts`, numbers rounded to six decimals."""
    rows = [
        {
            "name": row.name,
            "clips": len(row.clips),
            "seconds": row.seconds,
            "summary": {name: asdict(found) for name, found in row.summary.items()},
            "faults": row.faults,
            "heard": {one.id: one.heard for one in row.clips if one.prompt},
        }
        for row in scores.rows
    ]
    found = {"schema": SCHEMA, "pins": scores.pins, "reference": asdict(scores.reference), "rows": rows, **facts}
    return strict_json.readable(rounded(found))


def _summary(group: Group, clips: Sequence[EvaluatedClip]) -> dict[str, Estimate]:
    found = summarise(clips)
    return {"similarity": found["similarity"]} if group.only_voice else found


def _cell(found: Estimate | None, decimals: int) -> str:
    if found is None:
        return "-"
    half = UNKNOWN if found.low is None or found.high is None else f"{(found.high - found.low) / 2.0:.{decimals}f}"
    return f"{found.value:.{decimals}f} ±{half}"
