"""The commands a person types; each prints its result and returns the exit code."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from tqdm import tqdm

from trainer import backbones
from trainer.errors import TrainingError
from trainer.evaluation.resynthesize import resynthesize as copy_synthesis
from trainer.files import checkpoint, rows
from trainer.files.atomic_file import unwritable
from trainer.files.checkpoint import CheckpointError
from trainer.files.printable import error_line, notice_line
from trainer.job.contract import PREPARE_PREFIX
from trainer.preparation.prepare_command import prepared, summary_rows
from trainer.preparation.prepare_settings import PrepareSettings
from trainer.training import determinism, resume
from trainer.training.settings import from_environment


def prepare(options: argparse.Namespace) -> int:
    """`prepare AUDIO --output DIR`: manifest, clips and a summary."""
    settings = from_environment(PrepareSettings, PREPARE_PREFIX, os.environ)
    document, manifest_path = prepared(options, settings, on_note=lambda line: print(notice_line(line, "note"), file=sys.stderr))
    print(rows.text(summary_rows(document, manifest_path)))
    return 0


def train(options: argparse.Namespace) -> int:
    """`train MANIFEST --checkpoint FILE`: trains, or goes on where a killed training stopped."""
    backbone = backbones.create(os.environ, workspace=Path.cwd())
    backbone.check()
    backbone.load()
    state_path = options.checkpoint.with_name(f"{options.checkpoint.name}.state")
    listener = TerminalListener(total=backbone.steps)
    try:
        outcome = backbone.fit(
            options.manifest, seed=options.seed, threads=options.threads, state_path=state_path, listener=listener
        )
    except KeyboardInterrupt as error:
        raise TrainingError(
            "stopped; the same command continues from the last saved state", cause="interrupted"
        ) from error
    finally:
        listener.close()
    checkpoint.save(options.checkpoint, outcome.document)
    try:
        resume.clear(state_path)
    except OSError as error:
        raise unwritable(state_path, error) from error
    print(rows.text((name, _number(value)) for name, value in outcome.learning.items() if name != "history"))
    written = [("checkpoint", str(options.checkpoint)), ("content_sha256", checkpoint.content_sha256(outcome.document))]
    print(rows.text(written))
    return 0


def evaluate(options: argparse.Namespace) -> int:
    """`evaluate CHECKPOINT MANIFEST`: the losses of the learning proof, from the files alone."""
    try:
        form = checkpoint.read_container(options.checkpoint).get("format")
        environ = {**os.environ, "VOICE_BACKBONE_NAME": backbones.of_format(form)}
        measured = backbones.create(environ, workspace=Path.cwd()).measure(
            options.checkpoint, options.manifest, seed=options.seed, threads=options.threads
        )
    except CheckpointError as error:
        return _refused(options.checkpoint, error)
    print(rows.text((name, _number(value)) for name, value in measured.items()))
    return 0


def resynthesize(options: argparse.Namespace) -> int:
    """`resynthesize CHECKPOINT MANIFEST --output DIR`: files for listening and a table of distances."""
    determinism.fix(options.threads)
    try:
        found = copy_synthesis(
            options.checkpoint,
            options.manifest,
            options.output,
            seed=options.seed,
            heldout_seconds=options.heldout_seconds,
            picture=options.picture,
        )
    except CheckpointError as error:
        if error.cause == "wrong_format":
            error = CheckpointError(f"{error}; copy synthesis is for the backbone `vocoder`, any other voice speaks: say", cause=error.cause)
        return _refused(options.checkpoint, error)
    for row in [dict(zip(found[0], found[0], strict=True)), *found]:
        print("  ".join(f"{value:>15}" for value in row.values()))
    print(f"written to {options.output}")
    return 0


def render_demo(options: argparse.Namespace) -> int:
    """`render-demo FILE.flac`: the demonstration recording and its transcript."""
    from trainer.teachers import demo_recording

    transcript = options.output.with_suffix(".txt")
    seconds = demo_recording.render(options.output, transcript)
    size = options.output.stat().st_size
    print(rows.text([("recording", f"{options.output} ({seconds:.1f} s, {size} bytes)"), ("transcript", str(transcript))]))
    return 0


class TerminalListener:
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

    def step(self, step: int, loss: float) -> None:
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


def _refused(path: Path, error: CheckpointError) -> int:
    print(error_line(f"{path}: {error}", error.cause), file=sys.stderr)
    return TrainingError.exit_code


def _number(value: Any) -> str:
    return f"{value:.6f}" if isinstance(value, float) else str(value)
