"""`voice export k8s` and `voice export slurm`: the shards of a batch, or a training, for a cluster's own scheduler."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from acceptance.cli.options import PATH, count_option
from acceptance.cli.output import answers, emit
from acceptance.failure import HarnessError
from acceptance.objective import Settings, SettingsError, load, parse_size
from acceptance.policy.loading import load as load_policy
from acceptance.production.clusters import kubernetes, slurm
from acceptance.production.clusters.retries import TRIES
from trainer.files import output_file, rows
from trainer.files.atomic_file import write_atomically
from trainer.production import plan
from trainer.production.plan import Plan

_IMAGE = "voice-train:latest"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """What both schedulers are asked for."""

    output: Path
    name: str | None
    parallel: int
    memory: str
    tries: int

    def write(self, text: str, facts: Mapping[str, str], *, as_json: bool) -> None:
        """Write the file, and say what is in it."""
        write_atomically(self.output, text.encode())
        said = {"output": str(self.output), **facts}
        emit({"schema": "export/1", **said}, rows.text(said.items()), as_json=as_json)


def _written(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: the options that both schedulers have; the command is given them as `wanted`."""

    @functools.wraps(command)
    def wrapped(
        *args: Any,
        output: Path,
        overwrite: bool,
        name: str | None,
        parallel: int,
        memory: str,
        tries: int,
        **kwargs: Any,
    ) -> Any:
        output_file.refuse_existing(output, overwrite=overwrite)
        wanted = _Wanted(output=output, name=name, parallel=parallel, memory=memory, tries=tries)
        return command(*args, wanted=wanted, **kwargs)

    decorated: Callable[..., Any] = wrapped
    for option in (
        click.option("--output", type=PATH, required=True, metavar="FILE", help="Gets the file."),
        click.option("--overwrite", is_flag=True, help="Replace a file that exists."),
        click.option("--name", metavar="NAME", help="Of the job  [that of the batch or the objective]."),
        count_option("--parallel", "Shards at a time.", default=8),
        click.option("--memory", default="4g", show_default=True, metavar="SIZE", help="Of one shard."),
        click.option("--tries", type=click.IntRange(0, 100), default=TRIES, show_default=True, help="After an end that may be the machine's."),
    ):  # fmt: skip
        decorated = option(decorated)
    return decorated


@click.command()
@click.option("--batch", type=PATH, metavar="DIR", help="A planned batch: an Indexed Job that makes its shards.")
@click.option(
    "--objective", metavar="NAME|FILE", help="An objective: a Job that trains its voice. It certifies nothing."
)
@click.option("--storage", required=True, metavar="VOLUME", help="claim=NAME, nfs=SERVER:/PATH or host=/PATH.")
@click.option("--sub-path", default="", metavar="PATH", help="Folder in it that holds the batch, or the workspace.")
@click.option("--image", metavar="IMAGE", help=f"Best by its digest  [{_IMAGE}, or the objective's].")
@click.option("--namespace", metavar="NAME", help="Of the Job.")
@count_option("--cpus", "Of one shard; a training has its objective's threads.")
@answers
@_written
def k8s(
    batch: Path | None,
    objective: str | None,
    storage: str,
    sub_path: str,
    image: str | None,
    namespace: str | None,
    cpus: int,
    wanted: _Wanted,
    as_json: bool,
) -> None:
    """Write a Kubernetes Job for a batch or a training.

    Pods run the training image, confined as the Docker runtime confines a container: no capabilities, no network, a read-only root, no token
    of a service account. Exit statuses decide what is tried again.

    \b
    voice export k8s --batch batch/ --storage claim=voices --output job.yaml
    voice export k8s --objective my_voice.toml --storage claim=voices --output job.yaml
    """
    if (batch is None) == (objective is None):
        raise HarnessError("give either --batch DIR or --objective NAME", cause="settings_invalid")
    place = kubernetes.Storage.parse(storage, sub_path)

    def pod(found: str, default_image: str, processors: int, memory_bytes: int) -> kubernetes.Pod:
        return kubernetes.Pod(
            name=wanted.name or kubernetes.name_of(found), image=image or default_image, storage=place, cpus=processors, memory_bytes=memory_bytes,
            namespace=namespace, tries=wanted.tries,
        )  # fmt: skip

    if batch is not None:
        planned = plan.read(batch)
        work = pod(batch.resolve().name, _IMAGE, cpus, _size(wanted.memory))
        documents, about = kubernetes.shards(work, count=planned.shards, parallel=wanted.parallel), _about(planned)
    else:
        settings = _settings(str(objective))
        work = pod(settings.name, settings.image, settings.threads, parse_size(settings.memory))
        documents = kubernetes.training(work, settings, load_policy().preparation())
        about = f"the training of objective {settings.name}; it certifies nothing"
    text = kubernetes.dump(
        documents, [f"Written by voice export k8s: {about}.", f"kubectl apply -f {wanted.output.name}"]
    )
    wanted.write(text, {"job": work.name, "image": work.image}, as_json=as_json)


@click.command("slurm")
@click.argument("batch", type=PATH, metavar="BATCH")
@click.option("--python", default=sys.executable, metavar="PATH", help="Interpreter on the nodes  [this one].")
@click.option("--time", "time_limit", default="4:00:00", show_default=True, help="Of one shard, as sbatch writes it.")
@click.option("--partition", metavar="NAME", help="Where it is queued.")
@click.option("--account", metavar="NAME", help="Who pays.")
@count_option("--cpus", "Of one shard.")
@answers
@_written
def slurm_array(
    batch: Path,
    python: str,
    time_limit: str,
    partition: str | None,
    account: str | None,
    cpus: int,
    wanted: _Wanted,
    as_json: bool,
) -> None:
    """Write a Slurm array script for a batch.

    A task makes one shard, on nodes that see the batch and this project's environment under the same paths.

    \b
    voice export slurm batch/ --output batch.sbatch --parallel 50
    """
    found = plan.read(batch)
    array = slurm.Array(
        name=wanted.name or kubernetes.name_of(batch.resolve().name) or "batch", batch=batch.resolve(), python=python, count=found.shards,
        parallel=wanted.parallel, cpus=cpus, memory_bytes=_size(wanted.memory), time=time_limit, partition=partition, account=account,
        tries=wanted.tries,
    )  # fmt: skip
    facts = {"job": array.name, "shards": str(found.shards), "next": f"sbatch {wanted.output}"}
    wanted.write(slurm.script(array), facts, as_json=as_json)


def _about(found: Plan) -> str:
    return f"{found.shards} shards of the plan {found.sha256[:12]}"


def _settings(objective: str) -> Settings:
    try:
        return load(objective)
    except SettingsError as error:
        raise HarnessError(str(error), cause="settings_invalid") from error


def _size(text: str) -> int:
    try:
        return parse_size(text)
    except SettingsError as error:
        raise HarnessError(f"--memory: {error}", cause="settings_invalid") from error
