"""`voice promote`: puts a version of a voice into use, where its marks and its speaker allow it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import click

from acceptance.cli.output import NO, YES, answers, emit, finish
from acceptance.cli.policy_option import policy_option
from acceptance.cli.spending_option import no_cost_option, spending
from acceptance.cli.workspace_lock import locked
from acceptance.costs.events import Made
from acceptance.policy import Policy


@click.command()
@click.argument("run", metavar="RUN")
@click.option("--name", metavar="NAME", help="Of the voice in voices/  [the objective's of the run that made it].")
@click.option(
    "--consent", "given", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="The speaker's consent  [voice.toml in voices/NAME, beside the recording, or in the workspace].",
)  # fmt: skip
@click.option(
    "--sign",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="KEY",
    help="Sign what is in use with this Ed25519 key.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@no_cost_option
@click.option(
    "--workspace",
    type=click.Path(path_type=Path),
    default=Path(),
    metavar="DIR",
    help="Directory of runs and voices [here].",
)
@policy_option
@answers
def promote(
    policy: Callable[[], Policy],
    run: str,
    name: str | None,
    given: Path | None,
    sign: Path | None,
    dry_run: bool,
    no_cost: bool,
    workspace: Path,
    as_json: bool,
) -> None:
    """Put a scored version into use, if it is better.

    RUN is a scored run (voice scorecard). It is promoted if it is good enough by itself, if voice compare finds it better than the version in use,
    and if the speaker's consent covers it today. Ends with 0 if it is in use, 1 if it is held, 2 if there is no answer. A version in use that would
    be held today is not signed: then --sign ends with 1.

    \b
    voice promote ten-minutes
    voice promote ten-minutes --name dottie --dry-run --json
    voice promote ten-minutes --sign studio_key
    """
    from acceptance.scorecards.comparison import Recommendation
    from acceptance.voices import consent, promoting, registry, signing, store

    rules = policy()
    key = signing.private_key(sign) if sign is not None else None
    history = promoting.scored_runs(workspace)
    found = history.find(run)
    account = spending(workspace, rules, tracks=not (dry_run or no_cost))
    with locked(workspace), contextlib.ExitStack() as ending:
        name = name or store.objective_of(workspace, found.checkpoint_sha256)
        tally = ending.enter_context(account.tracked("promotion", voice=name, run=found.run_id))
        decision = promoting.decide(workspace, name, found, history, rules, given=given, today=consent.today())
        promotes = decision.recommendation is Recommendation.PROMOTE
        if promotes and not decision.in_use and not dry_run:
            registry.put(workspace, name, decision.record)
        if (decision.in_use or promotes) and not dry_run:  # in use already: a kill may have lost its count
            tally.made = Made(promoted=1, of=decision.record.checkpoint_sha256)
        if key is not None and promotes and not dry_run:
            sha256 = decision.record.checkpoint_sha256
            kept = store.checkpoint_path(workspace, sha256)
            target = registry.signature_path(workspace, name, sha256)
            signing.sign(key, path=kept.relative_to(workspace).as_posix(), sha256=sha256, target=target)
    refused = key is not None and not promotes
    state = (
        "is in use, and is not signed"
        if decision.in_use and refused
        else "is in use"
        if decision.in_use
        else "would be promoted"
        if promotes and dry_run
        else "is promoted"
        if promotes
        else "is held"
    )
    shown = decision.record.checkpoint_sha256[: store.SHOWN]
    lines = [
        f"{decision.recommendation.value}: {name} {shown} ({found.run_id}) {state}",
        *(f"- {reason}" for reason in decision.reasons),
    ]
    document = {
        "schema": "promote/1", "name": name, "recommendation": decision.recommendation.value, "in_use": decision.in_use, "dry_run": dry_run,
        "reasons": list(decision.reasons), "record": asdict(decision.record),
    }  # fmt: skip
    emit(document, "\n".join(lines), as_json=as_json)
    finish(YES if promotes or (decision.in_use and not refused) else NO)
