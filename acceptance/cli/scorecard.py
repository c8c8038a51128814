"""`voice scorecard`: an evaluation as one score, kept in the history."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from acceptance.cli.options import PATH, workspace_option
from acceptance.cli.output import NO, YES, answers, emit, finish
from acceptance.cli.policy_option import policy_option
from acceptance.policy import Policy
from acceptance.voices import store


@click.command()
@click.argument("evaluation", type=PATH)
@click.option(
    "--run", "run_id", metavar="RUN_ID", help="Name of this version [the acceptance run that made the checkpoint, else a hash]."
)  # fmt: skip
@click.option("--checkpoint", type=PATH, metavar="FILE", help="The evaluated checkpoint; its hash must be the evaluation's.")  # fmt: skip
@click.option("--manifest", type=PATH, metavar="FILE", help="The dataset that it was trained on; its hash must be the evaluation's.")  # fmt: skip
@click.option("--note", default="", metavar="TEXT", help="Kept with the record.")
@workspace_option("runs and of the history")
@click.option("--worst", type=click.IntRange(min=0), default=10, show_default=True, help="Utterances to show.")
@answers
@policy_option
def scorecard(
    policy: Callable[[], Policy], evaluation: Path, run_id: str | None, checkpoint: Path | None, manifest: Path | None, note: str,
    workspace: Path, worst: int, as_json: bool,
) -> None:  # fmt: skip
    """Score an evaluation from 0 to 100 and grade it.

    It is appended to artifacts/eval_history.jsonl. Where the newest record of its run id already says the same (hashes, scores, no other
    note), nothing is appended, and that is said. Ends with 0 if the voice may be promoted (the policy's minimum grade, no metric fails, few
    utterances that a production would reject, checkpoint and dataset known, the acceptance run that made the checkpoint a success), 1 if
    not, 2 if it could not be scored.

    \b
    voice scorecard evaluation.json
    voice scorecard evaluation.json --run five-minutes --checkpoint voice.pt --manifest manifest.json
    voice scorecard evaluation.json --threshold scorecard.promotion_minimum_grade=C --json
    """
    from acceptance.scorecards import objections, provenance, recording, runs, tables
    from acceptance.scorecards import scorecard as cards

    rules = policy()
    recorded = recording.record(
        evaluation,
        rules,
        workspace=workspace,
        run_id=run_id,
        checkpoint=store.named(workspace, checkpoint),
        manifest=manifest,
        note=note,
    )
    run, history = recorded.run, workspace / runs.HISTORY
    known = None if recorded.is_new else f"{run.run_id} ({run.created})"
    ending = (
        f"Appended to {history}."
        if known is None
        else f"Already recorded as {known} in {history}: nothing was appended."
    )
    rejudged = cards.rejudged(recorded.card, recorded.evaluation)
    notices = (*objections.notices(run), *rejudged, *provenance.notices(run.pins, rules))
    refusals = objections.refusals(recorded.card, run, rules)
    text = f"{tables.run_markdown(run, refusals, notices, rules, worst=worst)}\n\n{ending}"
    emit({**tables.run_document(run, refusals, notices, rules), "already_recorded_as": known}, text, as_json=as_json)
    finish(NO if refusals else YES)
