"""The losses of a training as a plot: from its table where there is one, else from what its status says."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from markupsafe import Markup

from acceptance.pages import plot
from trainer.job.contract import TRAINING_LOG

Points = list[tuple[float, float]]
_SMOOTHED = 40
"""A training loss jumps from step to step: the mean of a fortieth of its steps shows where it goes."""


def of_run(run_dir: Path, learning: Any) -> list[tuple[str, Markup]]:
    """(heading, SVG) of every stage of the training that has numbers; `learning` is the status's block, whatever stands in it."""
    found = _of_table(run_dir / TRAINING_LOG) or _of_history(learning)
    plots = []
    for stage, (training, held_out) in found.items():
        lines = [
            plot.Line(name="training", points=_smooth(training)),
            plot.Line(name="held out", points=sorted(held_out), dots=True),
        ]
        heading = f"Loss of the {stage}" if stage else "Loss"
        drawn = plot.lines([one for one in lines if one.points], title=heading, x="step", y="loss")
        if drawn:
            plots.append((heading, drawn))
    return plots


def _of_table(path: Path) -> dict[str, tuple[Points, Points]]:
    """Training and held-out losses by stage; empty for a file that is not such a table."""
    stages: dict[str, tuple[Points, Points]] = {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                training, held_out = stages.setdefault(str(row["stage"])[:80], ([], []))
                for name, points in (("training_loss", training), ("held_out_loss", held_out)):
                    if row[name]:
                        points.append((float(row["step"]), float(row[name])))
    except (OSError, ValueError, KeyError, TypeError, csv.Error):
        return {}
    return stages


def _of_history(learning: Any) -> dict[str, tuple[Points, Points]]:
    """The same from rows [step, training loss, held-out loss]."""
    history = learning.get("history") if isinstance(learning, dict) else None
    if not isinstance(history, list):
        return {}
    rows = [row for row in history if isinstance(row, list) and len(row) == 3]
    criterion = learning.get("criterion")
    return {
        criterion if isinstance(criterion, str) else "": (
            list(_numbers((row[0], row[1]) for row in rows)),
            list(_numbers((row[0], row[2]) for row in rows)),
        )
    }


def _numbers(pairs: Iterable[tuple[Any, Any]]) -> Iterable[tuple[float, float]]:
    for pair in pairs:
        if all(type(value) in (int, float) and math.isfinite(value) for value in pair):
            yield float(pair[0]), float(pair[1])


def _smooth(points: Points) -> Points:
    width = max(1, len(points) // _SMOOTHED)
    if width == 1:
        return points
    pieces = [points[start : start + width] for start in range(0, len(points), width)]
    return [(piece[-1][0], math.fsum(loss for _, loss in piece) / len(piece)) for piece in pieces]
