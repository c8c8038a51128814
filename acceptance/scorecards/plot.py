"""A comparison as a forest plot: the difference of the score and what each part adds to it, in points, with their intervals."""

from __future__ import annotations

import io
from pathlib import Path

from acceptance.policy import Policy
from acceptance.scorecards.comparison import Comparison
from trainer.files.atomic_file import write_atomically
from trainer.files.output_file import PICTURE


def write(comparison: Comparison, path: Path, policy: Policy) -> None:
    """Write a PNG, the same bytes for the same comparison; raises TrainingError(disk_full | output_not_writable)."""
    from matplotlib.figure import Figure

    rows = {"score": comparison.score} | {
        f"{name}\n({found.a.metric})": found.points for name, found in comparison.metrics.items()
    }
    figure = Figure(figsize=(8.0, 1.5 + 0.6 * len(rows)), layout="constrained")
    axes = figure.subplots()
    spread = policy.scorecard.min_difference
    axes.axvspan(-spread, spread, color="tab:gray", alpha=0.2, label=f"two runs of one recipe (score): ±{spread:g}")
    axes.axvline(0.0, color="black", linewidth=0.8)
    for position, found in enumerate(rows.values()):
        colour = ("tab:red", "tab:gray", "tab:green")[found.sign + 1]
        axes.plot([found.low, found.high], [position, position], color=colour, linewidth=2.0)
        axes.plot([found.value], [position], "D" if not position else "o", color=colour)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlabel(
        f"points, second - first, {policy.scorecard.confidence * 100:g} % interval over {comparison.prompts} common prompts"
    )
    axes.set_title(
        f"{comparison.recommendation.value}: {_name(comparison.b.run_id)} against {_name(comparison.a.run_id)}",
        fontsize="medium",
    )
    axes.legend(loc="best", fontsize="small")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata=PICTURE)
    write_atomically(path, buffer.getvalue())


def _name(run_id: str) -> str:
    return run_id.replace("$", r"\$")
