"""`voice export`: a trained voice in another form, and work for a cluster's scheduler."""

from __future__ import annotations

from pathlib import Path

import click

from acceptance.cli.export_clusters import k8s, slurm_array
from acceptance.cli.options import PATH
from acceptance.cli.output import answers, emit
from acceptance.failure import HarnessError
from trainer.errors import import_failures
from trainer.files import input_file, rows


@click.group()
def export() -> None:
    """Write a voice as ONNX, or job files for a cluster.

    \b
    voice export onnx voice.pt --output voice-onnx
    voice export slurm batch/ --output batch.sbatch
    """


export.add_command(k8s)
export.add_command(slurm_array)


@export.command()
@click.argument("checkpoint", type=PATH, metavar="VOICE")
@click.option(
    "--output",
    type=PATH,
    required=True,
    metavar="DIR",
    help="Gets the networks, and for a natural voice a program that speaks with them.",
)
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
@answers
def onnx(checkpoint: Path, output: Path, overwrite: bool, as_json: bool) -> None:
    """Write a trained voice as ONNX files.

    Their speech is compared with the checkpoint's before they are written. onnxruntime and NumPy alone speak them.

    \b
    voice export onnx voice.pt --output voice-onnx
    voice say "Good morning." --checkpoint voice-onnx -o hello.wav
    """
    input_file.require(HarnessError, checkpoint, cause="missing", next_step="give the checkpoint of a trained voice")
    with import_failures():
        from trainer.synthesis.export import export as write
        from trainer.synthesis.speaking import voice_refusals
    with voice_refusals(checkpoint):
        found = write(checkpoint, output, overwrite=overwrite)
    emit({"schema": "export/1", **found}, rows.text(found.items()), as_json=as_json)
