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
from trainer.preparation.recognisers import RecogniserChoice

SCHEMA = "benchmark_scores/1"
TRAINING = " #"
"""Stands between the name of a voice that was trained more than once and the number of the training."""


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
    recogniser: RecogniserChoice | None = None,
    processes: int = 1,
    on_total: OnTotal | None = None,
) -> Scores:
    """One row for every group, in order; raises as `evaluate.compare`."""
    hears = (recogniser or RecogniserChoice()).settled()
    tasks = [
        [
            Task(item=item, limits=limits, encoder=None, recogniser=hears, only_voice=group.only_voice)
            for item in group.items
        ]
        for group in groups
    ]
    found = evaluate.compare(tasks, reference, limits=limits, recogniser=hears, processes=processes, on_total=on_total)
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


def tables(rows: Sequence[Row]) -> str:
    """All rows, and below them the voices that were trained more than once."""
    return "\n".join(filter(None, (table(rows), trainings(rows))))


def trainings(rows: Sequence[Row]) -> str:
    """A line for every voice that was trained more than once: mean, and the lowest and highest of its rows; may be empty.

    The rows of one voice have one name up to the last ` #`.
    """
    together: dict[str, list[Row]] = {}
    for row in rows:
        together.setdefault(voice_of(row.name), []).append(row)
    several = {name: found for name, found in together.items() if len(found) > 1}
    cells = [
        [markdown.cell(name), str(len(found))]
        + [_range([row.summary.get(measure) for row in found], decimals) for measure, _, _, decimals in SUMMARY]
        for name, found in several.items()
    ]
    head = ["voice", "trainings", *(heading for _, _, heading, _ in SUMMARY)]
    return markdown.table(head, cells) + "\n" if cells else ""


def voice_of(name: str) -> str:
    """The name of a voice without the number of its training: `5 minutes` of `5 minutes #2`."""
    return name.rpartition(TRAINING)[0] or name


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


def _range(found: Sequence[Estimate | None], decimals: int) -> str:
    values = [one.value for one in found if one is not None]
    if not values:
        return "-"
    low, high = (f"{end:.{decimals}f}" for end in (min(values), max(values)))
    return f"{np.mean(values):.{decimals}f} ({low} to {high})"
