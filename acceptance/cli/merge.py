"""`voice merge`: the shards that several machines made become one batch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from acceptance.cli.output import answers
from acceptance.cli.policy_option import policy_option
from acceptance.failure import HarnessError
from acceptance.policy import Policy
from trainer.files import input_file

_folder = click.Path(path_type=Path)


@click.command()
@click.argument("batch", type=_folder)
@click.argument("sources", type=_folder, nargs=-1, metavar="[SOURCE]...")
@policy_option
@answers
def merge(policy: Callable[[], Policy], batch: Path, sources: tuple[Path, ...], as_json: bool) -> None:
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
    from acceptance.cli.produce import finish_batch
    from acceptance.production import batch as batches
    from acceptance.production import batch_timing, planning
    from trainer.production import merging, plan

    rules = policy()
    with batches.held(batch):
        if sources and not batches.is_planned(batch):
            planning.adopt(batch, sources[0])
        if sources and merging.unfinished(batch, plan.read(batch)):
            batch_timing.shared(batch)
        found = merging.merge(batch, sources)
        planning.require_same(batch, found, asked={}, prompts_path=None, checkpoint=None, policy=rules)
        finish_batch(batch, found, rules, as_json=as_json)
