"""Settings of a vocoder's training: one frozen dataclass of defaults, overridden by `VOICE_TRAIN_<FIELD>` in the environment."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from trainer.errors import RuntimeSetupError
from trainer.training.settings import check_bounds


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSettings:
    """How the vocoder is trained; every field is part of what makes a result reproducible."""

    steps: int = 300
    batch_size: int = 16
    segment_frames: int = 64
    """Length of one training example in frames of 256 samples (64 are 0.74 s)."""
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    warmup_steps: int = 20
    gradient_clip: float = 1.0
    """Largest norm of the gradient over all weights."""
    evaluate_every: int = 100
    """Steps between two held-out evaluations; the best of them is the checkpoint."""
    save_every: int = 50
    """Steps between two resume states."""
    heldout_seconds: float = 30.0
    """Upper bound of the held-out speech that one evaluation hears."""
    max_train_minutes: float = 30.0
    """Upper bound of the speech held in memory: evenly chosen utterances beyond it are left out (about 7 MB a minute)."""
    width: int = 256
    hidden: int = 768
    blocks: int = 6
    device: str = "auto"
    """`auto` (CUDA where there is one), `cpu` or `cuda`."""

    def __post_init__(self) -> None:
        check_bounds(self, _BOUNDS)
        if self.device not in ("auto", "cpu", "cuda"):
            raise RuntimeSetupError(f"device={self.device!r} is not auto, cpu or cuda", cause="settings_invalid")

    def as_dict(self) -> dict[str, Any]:
        """Plain values by field name."""
        return asdict(self)


_BOUNDS = (
    ("steps", 1, 10_000_000),
    ("batch_size", 1, 4096),
    ("segment_frames", 16, 4096),
    ("learning_rate", 0.0, 1.0),
    ("weight_decay", 0.0, 1.0),
    ("warmup_steps", 0, 1_000_000),
    ("gradient_clip", 1e-6, 1e6),
    ("evaluate_every", 1, 10_000_000),
    ("save_every", 1, 10_000_000),
    ("heldout_seconds", 1.0, 300.0),
    ("max_train_minutes", 0.1, 6000.0),
    ("width", 8, 2048),
    ("hidden", 8, 8192),
    ("blocks", 1, 64),
)
