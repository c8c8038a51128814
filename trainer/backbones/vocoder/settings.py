"""Settings of a vocoder's training: one frozen dataclass of defaults, overridden by `VOICE_TRAIN_<FIELD>` in the environment."""

from __future__ import annotations

from dataclasses import dataclass

from trainer.training.settings import BoundedSettings, bounded, device


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSettings(BoundedSettings):
    """How the vocoder is trained; every field is part of what makes a result reproducible."""

    steps: int = bounded(300, 1, 10_000_000)
    batch_size: int = bounded(16, 1, 4096)
    segment_frames: int = bounded(64, 16, 4096)
    """Length of one training example in frames of 256 samples (64 are 0.74 s)."""
    learning_rate: float = bounded(2e-3, 0.0, 1.0)
    weight_decay: float = bounded(0.01, 0.0, 1.0)
    warmup_steps: int = bounded(20, 0, 1_000_000)
    gradient_clip: float = bounded(1.0, 1e-6, 1e6)
    """Largest norm of the gradient over all weights."""
    evaluate_every: int = bounded(100, 1, 10_000_000)
    """Steps between two held-out evaluations; the best of them is the checkpoint."""
    save_every: int = bounded(50, 1, 10_000_000)
    """Steps between two resume states."""
    heldout_seconds: float = bounded(30.0, 1.0, 300.0)
    """Upper bound of the held-out speech that one evaluation hears."""
    max_train_minutes: float = bounded(30.0, 0.1, 6000.0)
    """Upper bound of the speech held in memory: evenly chosen utterances beyond it are left out (about 7 MB a minute)."""
    width: int = bounded(256, 8, 2048)
    hidden: int = bounded(768, 8, 8192)
    blocks: int = bounded(6, 1, 64)
    device: str = device()
