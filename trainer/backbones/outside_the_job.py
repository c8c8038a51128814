"""Trains and measures a voice from named files, without the job around it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from trainer import backbones
from trainer.backbones import BACKBONE_PREFIX, Backbone, BackboneSettings
from trainer.errors import TrainingError
from trainer.files import checkpoint
from trainer.files.atomic_file import unwritable
from trainer.files.checkpoint import CheckpointError
from trainer.training import resume
from trainer.training.session import Task
from trainer.training.settings import from_environment

if TYPE_CHECKING:
    from trainer.training.session import Listener, Outcome


def train(backbone: Backbone, manifest: Path, path: Path, *, seed: int, threads: int, listener: Listener) -> Outcome:
    """Trains on a manifest and writes the checkpoint, or goes on where a stopped training left its state beside it.

    Raises TrainerError as the backbone does.
    """
    state = path.with_name(f"{path.name}.state")
    outcome = backbone.fit(Task(manifest=manifest, seed=seed, threads=threads, state=state, listener=listener))
    checkpoint.save(path, outcome.document)
    try:
        resume.clear(state)
    except OSError as error:
        raise unwritable(state, error) from error
    return outcome


def measure(path: Path, manifest: Path, environ: Mapping[str, str], *, seed: int, threads: int) -> dict[str, float]:
    """The losses of the learning proof from a checkpoint and its manifest alone; raises TrainerError."""
    with named(path):
        form = checkpoint.read_container(path).get("format")
        chosen = from_environment(BackboneSettings, BACKBONE_PREFIX, environ)
        backbone = backbones.build(replace(chosen, name=backbones.of_format(form)), environ, workspace=Path.cwd())
        return backbone.measure(path, manifest, seed=seed, threads=threads)


@contextmanager
def named(path: Path) -> Iterator[None]:
    """A CheckpointError inside it becomes a TrainingError that names the file."""
    try:
        yield
    except CheckpointError as error:
        raise TrainingError(f"{path}: {error}", cause=error.cause) from error
