"""`voice export k8s` and `voice export slurm`: the shards of a batch, or a training, for a cluster's own scheduler."""

from __future__ import annotations

import sys
from collections.abc import Callable
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


def _written(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: the options that both schedulers have."""
    for option in (
        click.option("--output", type=PATH, required=True, metavar="FILE", help="Gets the file."),
        click.option("--overwrite", is_flag=True, help="Replace a file that exists."),
        click.option("--name", metavar="NAME", help="Of the job  [that of the batch or the objective]."),
        count_option("--parallel", "Shards at a time.", default=8),
        click.option("--memory", default="4g", show_default=True, metavar="SIZE", help="Of one shard."),
        click.option("--tries", type=click.IntRange(0, 100), default=TRIES, show_default=True, help="After an end that may be the machine's."),
    ):  # fmt: skip
        command = option(command)
    return command


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
    output: Path,
    overwrite: bool,
    name: str | None,
    parallel: int,
    memory: str,
    tries: int,
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
    output_file.refuse_existing(output, overwrite=overwrite)
    place = kubernetes.Storage.parse(storage, sub_path)

    def pod(found: str, default_image: str, processors: int, memory_bytes: int) -> kubernetes.Pod:
        return kubernetes.Pod(
            name=name or kubernetes.name_of(found), image=image or default_image, storage=place, cpus=processors, memory_bytes=memory_bytes,
            namespace=namespace, tries=tries,
        )  # fmt: skip

    if batch is not None:
        planned = plan.read(batch)
        work = pod(batch.resolve().name, _IMAGE, cpus, _size(memory))
        documents, about = kubernetes.shards(work, count=planned.shards, parallel=parallel), _about(planned)
    else:
        settings = _settings(str(objective))
        work = pod(settings.name, settings.image, settings.threads, parse_size(settings.memory))
        documents = kubernetes.training(work, settings, load_policy().preparation())
        about = f"the training of objective {settings.name}; it certifies nothing"
    text = kubernetes.dump(documents, [f"Written by voice export k8s: {about}.", f"kubectl apply -f {output.name}"])
    write_atomically(output, text.encode())
    facts = {"output": str(output), "job": work.name, "image": work.image}
    emit({"schema": "export/1", **facts}, rows.text(facts.items()), as_json=as_json)


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
    output: Path,
    overwrite: bool,
    name: str | None,
    parallel: int,
    memory: str,
    tries: int,
    as_json: bool,
) -> None:
    """Write a Slurm array script for a batch.

    A task makes one shard, on nodes that see the batch and this project's environment under the same paths.

    \b
    voice export slurm batch/ --output batch.sbatch --parallel 50
    """
    output_file.refuse_existing(output, overwrite=overwrite)
    found = plan.read(batch)
    array = slurm.Array(
        name=name or kubernetes.name_of(batch.resolve().name) or "batch", batch=batch.resolve(), python=python, count=found.shards,
        parallel=parallel, cpus=cpus, memory_bytes=_size(memory), time=time_limit, partition=partition, account=account, tries=tries,
    )  # fmt: skip
    write_atomically(output, slurm.script(array).encode())
    facts = {"output": str(output), "job": array.name, "shards": str(found.shards), "next": f"sbatch {output}"}
    emit({"schema": "export/1", **facts}, rows.text(facts.items()), as_json=as_json)


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
