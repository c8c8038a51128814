"""What training taught a vocoder, on speech it never heard and against a wrong voice; measured again from the files alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.dataset import loading, manifest
from trainer.dataset.loading import Utterance
from trainer.errors import DataError
from trainer.files import checkpoint
from trainer.models.vocoder import Vocoder, VocoderConfig
from trainer.models.vocoder.copy_synthesis import heldout_loss
from trainer.training import control_voice, determinism
from trainer.training.learning_proof import extent, proof


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """What every evaluation hears: held-out utterances of the target and the same amount of a wrong voice."""

    target: Sequence[Utterance]
    control: Sequence[Utterance]


def load_held_out(manifest_path: Path, *, max_seconds: float) -> HeldOut:
    """The held-out side of a manifest and its control voice; raises DataError(manifest_invalid)."""
    return _held_out(manifest.load(manifest_path), manifest_path, max_seconds)


def _held_out(document: manifest.Manifest, manifest_path: Path, max_seconds: float) -> HeldOut:
    entries = document.split(manifest.HELD_OUT)
    if not entries:
        raise DataError(
            f"{manifest_path} has no held-out utterance; prepare the recording again",
            cause="manifest_invalid",
        )
    target = loading.load(manifest_path.parent, loading.choose(entries, max_seconds=max_seconds))
    return HeldOut(target=target, control=control_voice.render(target))


def restore(document: dict[str, Any]) -> Vocoder:
    """The vocoder of a checkpoint; raises CheckpointError(wrong_format) where names, shapes or sizes do not fit."""
    try:
        config = VocoderConfig.from_dict(document["config"])
    except ValueError as error:
        raise checkpoint.CheckpointError(str(error), cause="wrong_format") from error
    # A config must not make us allocate more than its tensors justify.
    if config.least_weights > sum(tensor.numel() for tensor in document["model"].values()):
        raise checkpoint.CheckpointError("the config promises more weights than there are", cause="wrong_format")
    model = Vocoder(config)
    expected = {name: (tuple(value.shape), value.dtype) for name, value in model.state_dict().items()}
    found = {name: (tuple(value.shape), value.dtype) for name, value in document["model"].items()}
    if expected != found:
        raise checkpoint.CheckpointError("the tensors are not those of the vocoder in its config", cause="wrong_format")
    model.load_state_dict(document["model"])
    return model


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The half of a measurement that needs no trained weights: the held-out speech, and what the untrained start makes of it."""

    manifest_sha256: str
    config: VocoderConfig
    held_out: HeldOut
    target_loss: float
    control_loss: float


def baseline(manifest_path: Path, config: VocoderConfig, *, seed: int, heldout_seconds: float) -> Baseline:
    """Measure the start of every training from `seed`; raises DataError(manifest_invalid)."""
    document, manifest_sha256 = manifest.load_with_digest(manifest_path)
    held_out = _held_out(document, manifest_path, heldout_seconds)
    start = Vocoder.untrained(config, seed=seed)
    return Baseline(
        manifest_sha256=manifest_sha256,
        config=config,
        held_out=held_out,
        target_loss=heldout_loss(start, held_out.target),
        control_loss=heldout_loss(start, held_out.control),
    )


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
    fits = (
        prepared is not None
        and prepared.config == trained.config
        and prepared.manifest_sha256 == manifest.load_with_digest(manifest_path)[1]
    )
    start = prepared if fits else baseline(manifest_path, trained.config, seed=seed, heldout_seconds=heldout_seconds)
    target = start.target_loss, heldout_loss(trained, start.held_out.target)
    control = start.control_loss, heldout_loss(trained, start.held_out.control)
    return {**proof(target, control), **extent([one.seconds for one in start.held_out.target])}
