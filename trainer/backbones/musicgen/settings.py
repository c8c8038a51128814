"""Settings of adapting MusicGen: `VOICE_MUSICGEN_<FIELD>` in the environment."""

from __future__ import annotations

from dataclasses import dataclass

from trainer.training.settings import BoundedSettings, bounded, device


@dataclass(frozen=True, slots=True, kw_only=True)
class MusicgenSettings(BoundedSettings):
    """How the adapters are trained; every field is part of what makes a result reproducible."""

    steps: int = bounded(400, 1, 10_000_000)
    batch_size: int = bounded(4, 1, 1024)
    """Utterances a step; they pass one after another, so memory depends on the longest alone."""
    learning_rate: float = bounded(2e-4, 0.0, 1.0)
    weight_decay: float = bounded(0.01, 0.0, 1.0)
    warmup_steps: int = bounded(20, 0, 1_000_000)
    gradient_clip: float = bounded(1.0, 1e-6, 1e6)
    """Largest norm of the gradient over all adapters."""
    evaluate_every: int = bounded(50, 1, 10_000_000)
    save_every: int = bounded(25, 1, 10_000_000)
    heldout_seconds: float = bounded(30.0, 1.0, 300.0)
    max_train_minutes: float = bounded(30.0, 0.1, 6000.0)
    """Upper bound of the speech held as tokens: evenly chosen utterances beyond it are left out."""
    max_clip_seconds: float = bounded(12.0, 1.0, 30.0)
    """Longer utterances are cut here: attention costs time and memory by the square of it."""
    rank: int = bounded(8, 1, 256)
    """Rank of every adapter."""
    alpha: float = bounded(16.0, 1e-3, 1e4)
    """The adapters' output is scaled by alpha / rank."""
    prompt_dropout: float = bounded(0.1, 0.0, 1.0)
    """Share of examples trained without their prompt, so that guidance towards a prompt keeps working."""
    device: str = device()
