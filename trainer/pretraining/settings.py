"""Settings of a pretraining."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from trainer.errors import RuntimeSetupError


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainSettings:
    """How the base is trained; steps may be changed between runs before the rate falls."""

    steps: int = 12_000
    learning_rate: float = 1.2e-3
    warmup_steps: int = 300
    batch_frames: int = 4600
    """Frames of a batch (86 a second), padding included."""
    ema: float = 0.998
    """Decay of the average of the weights that is shipped."""
    evaluate_every: int = 250
    heldout_utterances: int = 96
    save_minutes: float = 4.0
    refresh_steps: int = 400
    """Steps after which new shards are looked for."""
    human_weight: float = 4.0
    """How often a human utterance is drawn where a synthetic one is drawn once."""
    espeak_weight: float = 0.6
    embedding_noise: float = 0.015
    """Deviation of the noise on every element of a speaker embedding: between known speakers there is room for others."""
    bfloat16: bool = True
    seed: int = 1

    def __post_init__(self) -> None:
        for name in ("steps", "batch_frames", "evaluate_every", "heldout_utterances", "refresh_steps"):
            if getattr(self, name) < 1:
                raise RuntimeSetupError(f"{name} must be at least 1", cause="settings_invalid")
        if not 0 <= self.ema < 1 or self.learning_rate <= 0 or self.save_minutes <= 0:
            raise RuntimeSetupError("ema, learning_rate or save_minutes is out of range", cause="settings_invalid")

    def as_dict(self) -> dict[str, Any]:
        """Plain values by field name."""
        return asdict(self)
