"""From a manifest to what an adaptation learns from: aligned utterances and the mean of their speaker's embeddings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from trainer.backbones.adapter.learning import mean_embedding
from trainer.backbones.adapter.settings import AdaptationSettings
from trainer.backbones.fitting_speech import Progress, Spoken, fitting
from trainer.dataset.manifest import Manifest
from trainer.models.speaker_encoder import SpeakerEncoder


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What is learnt from, and what it is judged by; `embedding` (256,) is the mean over the training utterances."""

    training: tuple[Spoken, ...]
    held_out: tuple[Spoken, ...]
    embedding: torch.Tensor
    left_out: tuple[str, ...]
    """One line for each utterance that cannot be used, and why."""


def gather(
    manifest_path: Path, document: Manifest, settings: AdaptationSettings, *, on_progress: Progress | None = None
) -> Material:
    """Read, analyse and align both splits; the same files give the same material. Raises DataError as `fitting`."""
    found = fitting(
        manifest_path, document, train_seconds=settings.train_seconds, heldout_seconds=settings.heldout_seconds,
        on_progress=on_progress,
    )  # fmt: skip
    training = tuple(one.spoken for one in found.training)
    return Material(
        training=training,
        held_out=tuple(one.spoken for one in found.held_out),
        embedding=mean_embedding(training, SpeakerEncoder().embed),
        left_out=found.left_out,
    )
