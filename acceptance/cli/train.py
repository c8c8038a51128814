"""`voice train`, `voice remeasure` and `voice resynthesize`: a voice from a prepared dataset, and what it learnt."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from acceptance.cli.options import MOST_THREADS, PATH, count_option, seed_option
from acceptance.cli.output import INTERRUPTED, answers, emit, finish
from acceptance.failure import HarnessError
from trainer.errors import TrainingError, import_failures
from trainer.files import input_file, rows
from trainer.files.printable import error_line

_seed = seed_option("Of the untrained start.")
_threads = count_option("--threads", "Of the computation.", default=2, most=MOST_THREADS)


def _trained(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: the checkpoint, the manifest that it was trained on, the seed and the threads."""
    command = _seed(_threads(command))
    return click.argument("checkpoint", type=PATH)(click.argument("manifest", type=PATH)(command))


@click.command()
@click.argument("manifest", type=PATH)
@click.option("--checkpoint", type=PATH, required=True, metavar="FILE", help="Where to write the voice.")
@_seed
@_threads
@answers
def train(manifest: Path, checkpoint: Path, seed: int, threads: int, as_json: bool) -> None:
    """Train a voice on a prepared dataset, without a verdict.

    Settings come from VOICE_BACKBONE_* and VOICE_NATURAL_* variables, those of the backbone vocoder from VOICE_TRAIN_*. A training that was
    stopped goes on where its state ends. Nothing is certified: a run of pytest acceptance does that.

    \b
    voice train artifacts/prepare/voice_dataset_manifest.json --checkpoint voice.pt
    """
    input_file.require(HarnessError, manifest, cause="manifest_invalid", next_step="give what voice prepare wrote")
    with import_failures():
        from trainer import backbones
        from trainer.backbones import outside_the_job
        from trainer.files import checkpoint as checkpoints

        backbone = backbones.create(os.environ, workspace=Path.cwd())
        backbone.check()
        backbone.load()
    listener = _Terminal(total=backbone.steps)
    try:
        outcome = outside_the_job.train(backbone, manifest, checkpoint, seed=seed, threads=threads, listener=listener)
    except KeyboardInterrupt:
        click.echo(error_line("stopped; the same command continues from the last saved state", "interrupted"), err=True)
        finish(INTERRUPTED)
    finally:
        listener.close()
    facts = {"checkpoint": str(checkpoint), "content_sha256": checkpoints.content_sha256(outcome.document)}
    shown = {name: value for name, value in outcome.learning.items() if name != "history"} | facts
    emit({"schema": "training/1", "learning": outcome.learning, **facts}, _text(shown), as_json=as_json)


@click.command()
@_trained
@answers
def remeasure(checkpoint: Path, manifest: Path, seed: int, threads: int, as_json: bool) -> None:
    """Measure again what a checkpoint learnt.

    The losses of the learning proof, from the checkpoint and its manifest alone.

    \b
    voice remeasure voice.pt artifacts/prepare/voice_dataset_manifest.json
    """
    _require(checkpoint, manifest)
    with import_failures():
        from trainer.backbones import outside_the_job
    found = outside_the_job.measure(checkpoint, manifest, os.environ, seed=seed, threads=threads)
    emit({"schema": "learning/1", **found}, _text(found), as_json=as_json)


@click.command()
@_trained
@click.option(
    "--heldout-seconds",
    type=click.FloatRange(min=0.0, min_open=True),
    default=30.0,
    show_default=True,
    help="Speech to copy.",
)
@click.option("--output", type=PATH, required=True, metavar="DIR", help="Gets the clips and distances.csv.")
@click.option("--picture", is_flag=True, help="Mel spectrograms as PNG (needs matplotlib).")
@answers
def resynthesize(
    checkpoint: Path,
    manifest: Path,
    seed: int,
    threads: int,
    heldout_seconds: float,
    output: Path,
    picture: bool,
    as_json: bool,
) -> None:
    """Copy held-out clips through a vocoder, beside the originals.

    For checkpoints of the backbone `vocoder`.

    \b
    voice resynthesize voice.pt artifacts/prepare/voice_dataset_manifest.json --output copies
    """
    _require(checkpoint, manifest)
    with import_failures():
        from trainer.backbones import outside_the_job
        from trainer.evaluation.resynthesize import resynthesize as copy_held_out
        from trainer.training import determinism
    determinism.fix(threads)
    try:
        with outside_the_job.named(checkpoint):
            found = copy_held_out(
                checkpoint, manifest, output, seed=seed, heldout_seconds=heldout_seconds, picture=picture
            )
    except TrainingError as error:
        if error.cause != "wrong_format":
            raise
        hint = "copy synthesis is for the backbone `vocoder`, any other voice speaks: voice say"
        raise HarnessError(f"{hint} ({error})", cause=error.cause) from error
    lines = [
        "  ".join(f"{value:>15}" for value in row.values())
        for row in [dict(zip(found[0], found[0], strict=True)), *found]
    ]
    emit(
        {"schema": "copies/1", "output": str(output), "rows": found},
        "\n".join([*lines, f"written to {output}"]),
        as_json=as_json,
    )


def _require(checkpoint: Path, manifest: Path) -> None:
    input_file.require(HarnessError, checkpoint, cause="missing", next_step="give the checkpoint of a trained voice")
    input_file.require(
        HarnessError, manifest, cause="manifest_invalid", next_step="give the manifest that it was trained on"
    )


def _text(values: dict[str, Any]) -> str:
    return rows.text(
        (name, f"{value:.6f}" if isinstance(value, float) else str(value)) for name, value in values.items()
    )


class _Terminal:
    """A bar on a terminal, plain lines elsewhere."""

    def __init__(self, *, total: int) -> None:
        self._total = total
        self._bar = tqdm(total=total, unit="step", disable=not sys.stderr.isatty())
        self._plain = not sys.stderr.isatty()

    def note(self, text: str) -> None:
        """A line above the bar."""
        tqdm.write(text, file=sys.stderr)

    def features_extracted(self, done: int, total: int) -> None:
        """Shown in the bar's description."""
        self._bar.set_description(f"features {done}/{total}" if done < total else "training")

    def train_started(self, facts: dict[str, Any]) -> None:
        """Says on what."""
        self.note(f"training {self._total} steps on {facts['device']}")

    def step(self, step: int, loss: float, stage: str = "") -> None:
        """Advances the bar, or prints a line for every tenth of the way."""
        self._bar.n = step
        self._bar.set_postfix(loss=f"{loss:.4f}", refresh=False)
        self._bar.update(0)
        if self._plain and (step == self._total or step % max(1, self._total // 10) == 0):
            self.note(f"step {step}/{self._total} loss {loss:.4f}")

    def evaluated(self, learning: dict[str, Any]) -> None:
        """A line with the held-out loss."""
        step, _, loss = learning["history"][-1]
        self.note(f"held-out loss {loss:.4f} at step {step}")

    def failed(self, learning: dict[str, Any]) -> None:
        """The error's line says enough."""

    def stop_requested(self) -> bool:
        """Ctrl-C raises instead."""
        return False

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._bar.close()
