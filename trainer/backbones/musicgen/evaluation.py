"""What the adapters are worth on speech that they never heard: nats a token, on the target and on a wrong voice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from trainer.backbones.musicgen import document as documents
from trainer.backbones.musicgen import examples
from trainer.backbones.musicgen.base import MusicgenBase
from trainer.backbones.musicgen.examples import Example
from trainer.dataset import loading, manifest
from trainer.errors import DataError
from trainer.training import control_voice
from trainer.training.learning_proof import extent, proof


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """What every evaluation hears: held-out utterances of the target and the same words in a wrong voice."""

    target: Sequence[Example]
    control: Sequence[Example]


def load_held_out(base: MusicgenBase, manifest_path: Path, *, max_seconds: float, max_clip_seconds: float) -> HeldOut:
    """The held-out side of a manifest as tokens; raises DataError(manifest_invalid)."""
    entries = [entry for entry in manifest.load(manifest_path).entries if entry.split == manifest.HELD_OUT]
    if not entries:
        raise DataError(
            f"{manifest_path} has no held-out utterance; prepare the recording again", cause="manifest_invalid"
        )
    chosen = loading.choose(entries, max_seconds=max_seconds)
    target = loading.load(manifest_path.parent, chosen)
    voices = (target, control_voice.render(target))
    encoded = [
        [
            examples.encode(base, utterance.wave.numpy(), entry.transcript, max_seconds=max_clip_seconds)
            for utterance, entry in zip(voice, chosen, strict=True)
        ]
        for voice in voices
    ]
    return HeldOut(target=encoded[0], control=encoded[1])


@torch.no_grad()
def heldout_loss(base: MusicgenBase, held_out: Sequence[Example]) -> float:
    """Cross entropy over all tokens of whole utterances, one at a time and in float32: the same weights and speech give the same number."""
    total, frames = 0.0, 0
    for example in held_out:
        total += float(examples.loss(base, example)) * example.codes.shape[1]
        frames += example.codes.shape[1]
    return total / frames


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What the learning proof needs of base and manifest alone; `key` says which, and how much of it."""

    key: tuple[str, str, float, float]
    held_out: HeldOut
    target_start: float
    control_start: float


def baseline(base: MusicgenBase, manifest_path: Path, *, max_seconds: float, max_clip_seconds: float) -> Baseline:
    """The held-out speech and the losses of `base`, which has no adapters yet, on it; raises DataError(manifest_invalid)."""
    key = _key(base, manifest_path, max_seconds, max_clip_seconds)
    held_out = load_held_out(base, manifest_path, max_seconds=max_seconds, max_clip_seconds=max_clip_seconds)
    return Baseline(
        key=key,
        held_out=held_out,
        target_start=heldout_loss(base, held_out.target),
        control_start=heldout_loss(base, held_out.control),
    )


def remeasure(
    base: MusicgenBase,
    checkpoint_path: Path,
    manifest_path: Path,
    *,
    max_seconds: float,
    max_clip_seconds: float,
    prepared: Baseline | None = None,
) -> dict[str, float]:
    """The losses of `learning`, computed again from checkpoint, clips and a base without adapters (it has them afterwards).

    Raises CheckpointError and DataError; nothing that the checkpoint claims of itself is used but its adapters.
    """
    document = documents.load(checkpoint_path)
    if prepared is None or prepared.key != _key(base, manifest_path, max_seconds, max_clip_seconds):
        prepared = baseline(base, manifest_path, max_seconds=max_seconds, max_clip_seconds=max_clip_seconds)
    documents.apply(document, base)
    target = heldout_loss(base, prepared.held_out.target)
    control = heldout_loss(base, prepared.held_out.control)
    seconds = [example.codes.shape[1] / base.frame_rate for example in prepared.held_out.target]
    return {**proof((prepared.target_start, target), (prepared.control_start, control)), **extent(seconds)}


def _key(
    base: MusicgenBase, manifest_path: Path, max_seconds: float, max_clip_seconds: float
) -> tuple[str, str, float, float]:
    # A manifest names its clips' digests, which the loader checks: equal manifests mean equal speech.
    return (base.identity, manifest.load_with_digest(manifest_path)[1], max_seconds, max_clip_seconds)
