"""What training taught a vocoder, on speech it never heard and against a wrong voice; measured again from the files alone."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from trainer.dataset import manifest
from trainer.files import checkpoint
from trainer.models.vocoder import Vocoder, VocoderConfig
from trainer.models.vocoder.copy_synthesis import heldout_loss
from trainer.training import determinism, held_out
from trainer.training.held_out import Baseline, HeldOut
from trainer.training.learning_block import extent
from trainer.voice.weights import with_weights


def load_held_out(manifest_path: Path, *, max_seconds: float) -> HeldOut:
    """The held-out side of a manifest and its control voice; raises DataError(manifest_invalid)."""
    return held_out.load(manifest.load(manifest_path), manifest_path, max_seconds=max_seconds)[1]


def restore(document: dict[str, Any]) -> Vocoder:
    """The vocoder of a checkpoint; raises CheckpointError(wrong_format) where names, shapes or sizes do not fit."""
    try:
        config = VocoderConfig.from_dict(document["config"])
    except ValueError as error:
        raise checkpoint.CheckpointError(str(error), cause="wrong_format") from error
    return with_weights(Vocoder, config, document["model"], "vocoder")


def baseline(manifest_path: Path, config: VocoderConfig, *, seed: int, heldout_seconds: float) -> Baseline:
    """Measure the start of every training from `seed`; raises DataError(manifest_invalid)."""
    document, manifest_sha256 = manifest.load_with_digest(manifest_path)
    _, heard = held_out.load(document, manifest_path, max_seconds=heldout_seconds)
    start = Vocoder.untrained(config, seed=seed)
    return Baseline.of((manifest_sha256, config), heard, partial(heldout_loss, start))


def remeasure(
    checkpoint_path: Path,
    manifest_path: Path,
    *,
    seed: int,
    heldout_seconds: float = 30.0,
    threads: int | None = None,
    prepared: Baseline | None = None,
) -> dict[str, float]:
    """The losses of `learning`, computed again from the files alone.

    `seed`, `heldout_seconds` and `threads` are the caller's, not what the checkpoint claims. `prepared`, measured with the same ones,
    saves the half of the work where it is of this manifest and network. Raises CheckpointError and DataError.
    """
    if threads is not None:
        determinism.fix(threads)
    trained = restore(checkpoint.load(checkpoint_path))
    if prepared is None or prepared.key != (manifest.load_with_digest(manifest_path)[1], trained.config):
        prepared = baseline(manifest_path, trained.config, seed=seed, heldout_seconds=heldout_seconds)
    seconds = [one.seconds for one in prepared.held_out.target]
    return {**prepared.proof(partial(heldout_loss, trained)), **extent(seconds)}
