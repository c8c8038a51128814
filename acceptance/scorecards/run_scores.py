"""Scores of one run's checkpoint, for its page."""

from __future__ import annotations

from pathlib import Path

from acceptance.report.run_page import Score
from acceptance.scorecards import runs


def of_checkpoint(workspace: Path, sha256: str | None) -> list[Score]:
    """Every scorecard of the checkpoint with this sha256, the newest first; none where nothing was scored. Raises HarnessError."""
    if sha256 is None or not (workspace / runs.HISTORY).is_file():
        return []
    known = runs.load(workspace / runs.HISTORY).newest().values()
    return [
        Score(
            name=one.run_id,
            created=one.created,
            points=one.score,
            grade=one.grade,
            parts=[(found.metric, f"{found.value:.3f}", found.verdict) for found in one.metrics.values()],
        )
        for one in reversed(list(known))
        if one.checkpoint_sha256 == sha256
    ]
