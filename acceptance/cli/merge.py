"""`voice merge`: the shards that several machines made become one batch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from acceptance.cli.output import answers
from acceptance.cli.policy_option import policy_option
from acceptance.cli.spending_option import no_cost_option, spending
from acceptance.failure import HarnessError
from acceptance.policy import Policy
from trainer.files import input_file

_folder = click.Path(path_type=Path)


@click.command()
@click.argument("batch", type=_folder)
@click.argument("sources", type=_folder, nargs=-1, metavar="[SOURCE]...")
@click.option(
    "--consent", type=_folder, metavar="FILE", help="The speaker's record  [voice.toml beside the recording, or here]."
)
@no_cost_option
@policy_option
@answers
def merge(
    policy: Callable[[], Policy],
    batch: Path,
    sources: tuple[Path, ...],
    consent: Path | None,
    no_cost: bool,
    as_json: bool,
) -> None:
    """Bring the shards of a batch together and sort it.

    Each SOURCE is the folder of a voice produce --shard command. Proves that no take is missing, double or changed; a shard of another plan
    is refused by name, and nothing is taken from it. A new BATCH is begun with the plan of the first SOURCE. Ends as voice produce does.

    \b
    voice merge batch machine_1/batch machine_2/batch
    voice merge batch
    """
    for folder in sources or (batch,):
        input_file.require(
            HarnessError, folder, cause="plan_missing", next_step="name the folder of a voice produce command"
        )
    input_file.require(HarnessError, consent, cause="consent_missing", next_step="write one: voice consent init FILE")
    from acceptance.cli.produce import finish_batch, tell
    from acceptance.production import batch as batches
    from acceptance.production import batch_folder, batch_timing, planning
    from trainer.production import merging, plan

    rules = policy()
    account = spending(Path(), rules, tracks=not no_cost)
    request = batches.Request(batch=batch, policy=rules, consent=consent)
    with (
        account.tracked("production", voice=batches.voice_name(request), run=str(batch)) as tally,
        batch_folder.held(batch, going_on=not sources),
    ):
        known = batch_folder.is_planned(batch) or not sources
        inputs = batch if known else sources[0]
        batches.require_allowed(request, plan.read(inputs), tell, inputs=inputs)
        if not known:
            planning.adopt(batch, sources[0])
        if sources and merging.unfinished(batch, plan.read(batch)):
            batch_timing.shared(batch)
        found = merging.merge(batch, sources)
        finish_batch(batch, found, rules, tally, as_json=as_json)
