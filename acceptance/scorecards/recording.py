"""Scores an evaluation file and keeps the scorecard in the history of its workspace."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from acceptance.policy import Policy
from acceptance.scorecards import origin, parts, runs
from acceptance.scorecards import scorecard as cards
from acceptance.scorecards.runs import Run
from acceptance.scorecards.scorecard import Scorecard
from trainer.evaluation import evaluation as evaluations
from trainer.evaluation.evaluation import Evaluation


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedScore:
    """The record that stands for an evaluation."""

    run: Run
    card: Scorecard
    evaluation: Evaluation
    is_new: bool
    """Whether it was appended; else the newest record of its run says the same."""


def record(
    path: Path,
    policy: Policy,
    *,
    workspace: Path,
    run_id: str | None = None,
    checkpoint: Path | None = None,
    manifest: Path | None = None,
    note: str = "",
) -> RecordedScore:
    """Score an evaluation and append it, unless it is recorded; raises as `origin.find` and `runs.append`."""
    found, digest = evaluations.load_with_digest(path)
    parts.require_recogniser(found.pins, policy)
    card = cards.score(cards.clips(found), found.similarity_metric, policy)
    source = origin.find(found, digest, workspace=workspace, run_id=run_id, checkpoint=checkpoint, manifest=manifest)
    scored = runs.scored(card, found, digest, source, note=note)
    run = runs.append(workspace / runs.HISTORY, scored)
    return RecordedScore(run=run, card=card, evaluation=found, is_new=run is scored)
