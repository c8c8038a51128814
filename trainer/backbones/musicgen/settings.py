"""Settings of adapting MusicGen: `VOICE_MUSICGEN_<FIELD>` in the environment."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from trainer.errors import RuntimeSetupError
from trainer.training.settings import check_bounds


@dataclass(frozen=True, slots=True, kw_only=True)
class MusicgenSettings:
    """How the adapters are trained; every field is part of what makes a result reproducible."""

    steps: int = 400
    batch_size: int = 4
    """Utterances a step; they pass one after another, so memory depends on the longest alone."""
    learning_rate: float = 2e-4
    weight_decay: float = 0.01
    warmup_steps: int = 20
    gradient_clip: float = 1.0
    """Largest norm of the gradient over all adapters."""
    evaluate_every: int = 50
    save_every: int = 25
    heldout_seconds: float = 30.0
    max_train_minutes: float = 30.0
    """Upper bound of the speech held as tokens: evenly chosen utterances beyond it are left out."""
    max_clip_seconds: float = 12.0
    """Longer utterances are cut here: attention costs time and memory by the square of it."""
    rank: int = 8
    """Rank of every adapter."""
    alpha: float = 16.0
    """The adapters' output is scaled by alpha / rank."""
    prompt_dropout: float = 0.1
    """Share of examples trained without their prompt, so that guidance towards a prompt keeps working."""
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
    ("batch_size", 1, 1024),
    ("learning_rate", 0.0, 1.0),
    ("weight_decay", 0.0, 1.0),
    ("warmup_steps", 0, 1_000_000),
    ("gradient_clip", 1e-6, 1e6),
    ("evaluate_every", 1, 10_000_000),
    ("save_every", 1, 10_000_000),
    ("heldout_seconds", 1.0, 300.0),
    ("max_train_minutes", 0.1, 6000.0),
    ("max_clip_seconds", 1.0, 30.0),
    ("rank", 1, 256),
    ("alpha", 1e-3, 1e4),
    ("prompt_dropout", 0.0, 1.0),
)
