"""What the adapters are worth on speech that they never heard: nats a token, on the target and on a wrong voice."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch

from trainer.backbones.musicgen import document as documents
from trainer.backbones.musicgen import examples
from trainer.backbones.musicgen.base import MusicgenBase
from trainer.backbones.musicgen.examples import Example
from trainer.dataset import manifest
from trainer.training import held_out
from trainer.training.held_out import Baseline, HeldOut
from trainer.training.learning_block import extent


def load_held_out(base: MusicgenBase, manifest_path: Path, *, max_seconds: float, max_clip_seconds: float) -> HeldOut:
    """The held-out side of a manifest as tokens; raises DataError(manifest_invalid)."""
    chosen, heard = held_out.load(manifest.load(manifest_path), manifest_path, max_seconds=max_seconds)
    encoded = [
        [
            examples.encode(base, utterance.wave.numpy(), entry.transcript, max_seconds=max_clip_seconds)
            for utterance, entry in zip(voice, chosen, strict=True)
        ]
        for voice in (heard.target, heard.control)
    ]
    return HeldOut(target=encoded[0], control=encoded[1])


@torch.no_grad()
def heldout_loss(base: MusicgenBase, utterances: Sequence[Example]) -> float:
    """Cross entropy over all tokens of whole utterances, one at a time and in float32: the same weights and speech give the same number."""
    total, frames = 0.0, 0
    for example in utterances:
        total += float(examples.loss(base, example)) * example.codes.shape[1]
        frames += example.codes.shape[1]
    return total / frames


def baseline(base: MusicgenBase, manifest_path: Path, *, max_seconds: float, max_clip_seconds: float) -> Baseline:
    """The held-out speech and the losses of `base`, which has no adapters yet, on it; raises DataError(manifest_invalid)."""
    heard = load_held_out(base, manifest_path, max_seconds=max_seconds, max_clip_seconds=max_clip_seconds)
    key = _key(base, manifest_path, max_seconds, max_clip_seconds)
    return Baseline.of(key, heard, partial(heldout_loss, base))


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
    seconds = [example.codes.shape[1] / base.frame_rate for example in prepared.held_out.target]
    return {**prepared.proof(partial(heldout_loss, base)), **extent(seconds)}


def _key(
    base: MusicgenBase, manifest_path: Path, max_seconds: float, max_clip_seconds: float
) -> tuple[str, str, float, float]:
    # A manifest names its clips' digests, which the loader checks: equal manifests mean equal speech.
    return (base.identity, manifest.load_with_digest(manifest_path)[1], max_seconds, max_clip_seconds)
