"""`voice produce`: many utterances with a certified voice, of which only the good ones are delivered."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from acceptance.cli import progress
from acceptance.cli.delivery_options import delivery_options
from acceptance.cli.output import NO, YES, answers, emit, finish
from acceptance.cli.policy_option import policy_option
from acceptance.cli.spending_option import no_cost_option, require_budget, spending
from acceptance.costs.events import Made
from acceptance.failure import HarnessError
from acceptance.policy import Policy
from acceptance.voices import store
from trainer.files import input_file, rows

if TYPE_CHECKING:
    from acceptance.costs.tracker import Tally
    from acceptance.production.batch import Request
    from acceptance.production.engines.base import Engine
    from acceptance.production.health import HealthCheck
    from trainer.production.plan import Plan

_file = click.Path(path_type=Path)
_SHARD = re.compile(r"([1-9]\d{0,5})/([1-9]\d{0,5})")
_FILES = ("prompts", "checkpoint", "manifest", "reference")
FREE = (
    "output", "consent", "plan_only", "processes", "engine", "ray_address", "resume", "no_cost", "as_json", "policy_file", "thresholds",
)  # fmt: skip
"""Options that decide no byte: they may differ when a batch is gone on with. The policy is compared whoever names it."""
_COUNTS = ("generated", "approved", "rejected", "quarantined", "left_out")


@click.command()
@click.argument("prompts", type=_file, required=False)
@click.option(
    "--output", type=_file, required=True, metavar="DIR", help="The folder of the batch, a new or an empty one."
)
@click.option(
    "--takes",
    type=click.IntRange(1, 1000),
    metavar="N",
    help="Of each prompt, each with another seed  [production.takes].",
)
@click.option(
    "--best-of", type=click.IntRange(1, 1000), metavar="N", help="N takes of each prompt; only the best is approved."
)
@click.option(
    "--checkpoint",
    type=_file,
    metavar="VOICE",
    help="A voice, or the start of a kept one's hash  [the newest success's].",
)
@click.option(
    "--manifest", type=_file, metavar="FILE", help="Its dataset: the held-out clips are compared with  [its run's]."
)
@click.option(
    "--reference", type=_file, metavar="DIR", help="Real clips of the speaker instead, none of them trained on."
)
@click.option(
    "--consent", type=_file, metavar="FILE", help="The speaker's record  [voice.toml beside the recording, or here]."
)
@click.option(
    "--shards",
    type=click.IntRange(1, 100_000),
    metavar="N",
    help="Parts that are made and resumed one by one  [--processes].",
)
@click.option("--shard", metavar="I/N", help="Make only part I of N, for one of several machines; then voice merge.")
@click.option("--plan-only", is_flag=True, help="Examine and plan; speak nothing.")
@click.option(
    "--processes", type=click.IntRange(1, 256), default=1, show_default=True, help="Parts at a time on this machine."
)
@click.option(
    "--engine", type=click.Choice(("local", "ray")), default="local", show_default=True, help="What runs the parts."
)
@click.option("--ray-address", metavar="ADDRESS", help="Of a running Ray cluster  [the one that Ray finds].")
@click.option("--resume", is_flag=True, help="Go on with the batch that DIR holds.")
@no_cost_option
@delivery_options
@policy_option
@answers
def produce(
    policy: Callable[[], Policy], prompts: Path | None, output: Path, takes: int | None, best_of: int | None, checkpoint: Path | None,
    manifest: Path | None, reference: Path | None, consent: Path | None, shards: int | None, shard: str | None, plan_only: bool,
    processes: int, engine: str, ray_address: str | None, resume: bool, no_cost: bool, as_json: bool, **how: Any,
) -> None:  # fmt: skip
    """Speak many prompts, judge every take, and sort them.

    PROMPTS is a text with one sentence a line, a .csv or .tsv with the columns id and text, or .jsonl; without it the built-in sentences are
    spoken. DIR gets approved/, rejected/ and quarantine/, a reason for every clip, and a report. Run the same command with --resume after
    an interruption: nothing is lost or made twice. Ends with 0 if every prompt has an approved take, 1 if not, 2 if there is no batch.

    \b
    voice produce prompts.csv --output batch
    voice produce prompts.txt --output batch --best-of 3 --processes 2
    voice produce prompts.txt --output batch --shard 2/8
    voice produce --output batch --resume
    """
    if takes is not None and best_of is not None:
        raise click.UsageError("--takes and --best-of exclude each other")
    if ray_address is not None and engine != "ray":
        raise click.UsageError("--ray-address goes with --engine ray")
    part = _part(shard, shards)
    for given, cause, next_step in (
        (prompts, "prompts_invalid", "name a file of prompts"),
        (store.named(Path(), checkpoint), "missing", "give the checkpoint of a trained voice"),
        (manifest, "manifest_invalid", "name the manifest of a prepared recording"),
        (reference, "audio_missing", "name a folder with clips"),
        (consent, "consent_missing", "write one: voice consent init FILE"),
    ):
        input_file.require(HarnessError, given, cause=cause, next_step=next_step)
    # PyTorch comes with these.
    from acceptance.production import batch as batches
    from acceptance.production import batch_folder
    from acceptance.production.planning import Wanted
    from trainer.synthesis.delivery import Delivery

    rules = policy()
    asked = _asked(part)
    wanted = Wanted(
        takes=takes or best_of or rules.production.takes, best_of=best_of is not None,
        shards=part[1] if part else shards or processes, delivery=Delivery(**how),
    )  # fmt: skip
    request = batches.Request(
        batch=output, policy=rules, prompts=prompts, checkpoint=checkpoint, manifest=manifest, reference=reference, consent=consent,
        wanted=wanted, asked=asked, processes=processes, resume=resume or part is not None, one_shard=part is not None,
    )  # fmt: skip
    runner, account = _engine(engine, processes, ray_address), spending(Path(), rules, tracks=not no_cost)
    require_budget(account)
    with account.tracked("production", voice=batches.voice_name(request), run=str(output)) as tally:
        if part is not None:
            _one_shard(request, part[0], runner, going_on=resume, plan_only=plan_only, as_json=as_json)
        with batch_folder.held(output, going_on=resume):
            found = batches.planned(request, tell)
            if plan_only:
                emit(_planned(output, found), _planned_text(output, found), as_json=as_json)
                finish(YES)
            _speak(output, found, batches.missing(output, found), runner)
            finish_batch(output, found, rules, tally, as_json=as_json)


def finish_batch(output: Path, found: Plan, rules: Policy, tally: Tally, *, as_json: bool) -> None:
    """Prove, sort and sum up a batch whose shards are made; prints the outcome and ends the command."""
    from acceptance.production import batch as batches
    from acceptance.production import batch_page, batch_timing, batch_wording

    batches.prove(output, found)
    document = batches.summed_up(output, found, rules, batches.sort(output, found, rules))
    counts, means, cost = document["counts"], document["means"], batch_timing.read(output).get("cost")
    if cost is not None:
        tally.made = Made(approved=counts["approved"], of=found.sha256)
    said = [(name.replace("_", " "), str(counts[name])) for name in _COUNTS]
    said.append(("prompts", f"{counts['prompts_approved']} of {counts['prompts']} have an approved take"))
    if means is not None:
        said.append(("approved, mean", f"score {means['score']:.1f}, similarity {means['similarity']:.3f}, realism {means['overall']:.2f}, "
                                       f"word error rate {means['wer']:.2f}"))  # fmt: skip
    said += [(f"because of {kind}", str(count)) for kind, count in document["reasons"].items()]
    said += [(name.lower(), text) for name, text in batch_wording.cost(cost)]
    said += [("batch", str(output)), ("page", str(output / batch_page.HTML))]
    emit({**document, "cost": cost}, rows.text(said), as_json=as_json)
    finish(YES if counts["prompts_approved"] == counts["prompts"] else NO)


def _one_shard(request: Request, index: int, runner: Engine, *, going_on: bool, plan_only: bool, as_json: bool) -> None:
    """Make one shard; the batch is held only for its plan, so that several commands can make several shards in one folder."""
    from acceptance.production import batch as batches
    from acceptance.production import batch_folder

    with batch_folder.held(request.batch, going_on=going_on):
        found = batches.planned(request, tell)
    if not plan_only:
        _speak(request.batch, found, [index], runner)
    document = {**_planned(request.batch, found), "shard": index}
    emit(document, _planned_text(request.batch, found, index), as_json=as_json)
    finish(YES)


def _speak(output: Path, found: Plan, shards: list[int], runner: Engine) -> None:
    from acceptance.production import batch_timing

    if not shards:
        return
    with progress.shown("produce") as on_total, batch_timing.measured(output, runner.name):
        step = on_total(sum(found.takes_of(index) for index in shards))
        runner.run(output, shards, lambda index: None, step)


def _part(shard: str | None, shards: int | None) -> tuple[int, int] | None:
    """(I, N) of --shard; raises UsageError."""
    if shard is None:
        return None
    match = _SHARD.fullmatch(shard)
    if match is None or not int(match[1]) <= int(match[2]):
        raise click.UsageError(f"--shard {shard}: write I/N, for example 2/8")
    if shards is not None:
        raise click.UsageError("--shard says how many there are: leave --shards out")
    return int(match[1]), int(match[2])


def _asked(part: tuple[int, int] | None) -> Mapping[str, object]:
    """What the command line says of the plan beside its files: a batch that is gone on with must have the same."""
    context = click.get_current_context()
    found: dict[str, object] = {
        name: value
        for name, value in context.params.items()
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE and name not in (*FREE, *_FILES)
    }
    if part is not None:
        found["shards"] = part[1]
        del found["shard"]
    takes = found.get("takes") or found.get("best_of")
    return found if takes is None else {**found, "takes": takes, "best_of": "best_of" in found}


def _engine(name: str, processes: int, address: str | None) -> Engine:
    if name == "ray":
        from acceptance.production.engines.ray import Ray
        from acceptance.production.engines.ray_cluster import AUTO

        return Ray(address=address or AUTO)
    from acceptance.production.engines.local import Local

    return Local(processes=processes)


def tell(check: HealthCheck) -> None:
    """Say on stderr what a health check found."""
    click.echo(f"{check.name}: {check.found}", err=True)


def _planned(output: Path, found: Plan) -> dict[str, Any]:
    return {
        "schema": "production_planned/1", "batch": str(output), "plan_sha256": found.sha256, "prompts": found.prompts.count,
        "left_out": found.left_out.count, "takes": found.takes, "shards": found.shards,
    }  # fmt: skip


def _planned_text(output: Path, found: Plan, index: int | None = None) -> str:
    said = [("batch", str(output)), ("plan", found.sha256), ("prompts", f"{found.prompts.count} (left out {found.left_out.count})"),
            ("takes", str(found.takes)), ("shards", str(found.shards))]  # fmt: skip
    if index is not None:
        said.append(("shard", f"{index} of {found.shards} is done"))
    return rows.text(said)
