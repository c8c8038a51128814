"""Settings of a pretraining."""

from __future__ import annotations

from dataclasses import dataclass

from trainer.training.settings import BoundedSettings, bounded


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainSettings(BoundedSettings):
    """How the base is trained; steps may be changed between runs before the rate falls."""

    steps: int = bounded(12_000, 1, 10_000_000)
    learning_rate: float = bounded(1.2e-3, 1e-9, 1.0)
    warmup_steps: int = 300
    batch_frames: int = bounded(4600, 1, 1_000_000)
    """Frames of a batch (86 a second), padding included."""
    ema: float = bounded(0.998, 0.0, 0.999_999)
    """Decay of the average of the weights that is shipped."""
    evaluate_every: int = bounded(250, 1, 10_000_000)
    heldout_utterances: int = bounded(96, 1, 1_000_000)
    save_minutes: float = bounded(4.0, 1e-3, 1e6)
    refresh_steps: int = bounded(400, 1, 10_000_000)
    """Steps after which new shards are looked for."""
    human_weight: float = 4.0
    """How often a human utterance is drawn where a synthetic one is drawn once."""
    espeak_weight: float = 0.6
    embedding_noise: float = 0.015
    """Deviation of the noise on every element of a speaker embedding: between known speakers there is room for others."""
    bfloat16: bool = True
    seed: int = 1
