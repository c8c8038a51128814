"""The learning proof of a voice measured again, by somebody who has the files and believes none of their claims."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trainer.backbones.adapter import learning
from trainer.backbones.adapter.learning import Start
from trainer.backbones.adapter.material import gather
from trainer.backbones.adapter.settings import AdaptationSettings
from trainer.backbones.adapter.spoken import speaker_of
from trainer.dataset import manifest
from trainer.models.speaker_encoder import SpeakerEncoder
from trainer.training import determinism
from trainer.voice import base
from trainer.voice import document as voice


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """A start and the manifest that it was measured on."""

    manifest_sha256: str
    start: Start


def baseline(manifest_path: Path, settings: AdaptationSettings, *, threads: int) -> Baseline:
    """Align the dataset again and measure the base on its held-out side; raises DataError and RuntimeSetupError."""
    determinism.fix(threads)
    document, manifest_sha256 = manifest.load_with_digest(manifest_path)
    material = gather(manifest_path, document, settings)
    speaker = speaker_of(material.training, material.embedding)
    start = learning.measure_start(base.load(), material.held_out, speaker=speaker, embed=SpeakerEncoder().embed)
    return Baseline(manifest_sha256=manifest_sha256, start=start)


def remeasure(
    checkpoint_path: Path,
    manifest_path: Path,
    settings: AdaptationSettings,
    *,
    threads: int,
    prepared: Baseline | None = None,
) -> dict[str, float]:
    """The losses of `learning` from the files alone; `prepared` counts where it is of this manifest. Raises as `baseline`, and CheckpointError."""
    determinism.fix(threads)
    trained = voice.load(checkpoint_path)
    if prepared is None or prepared.manifest_sha256 != manifest.load_with_digest(manifest_path)[1]:
        prepared = baseline(manifest_path, settings, threads=threads)
    return learning.losses(prepared.start, trained.acoustic, trained.vocoder, trained.speaker)
