"""Settings of an adaptation, and presets for the minutes that it may take."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from trainer.errors import RuntimeSetupError
from trainer.training.settings import check_bounds


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptationSettings:
    """How a voice is adapted; counted in steps, never in time, so that a result does not depend on how busy the machine was."""

    acoustic_steps: int = 360
    batch_frames: int = 2400
    """Frames of an acoustic batch (86 a second), padding included."""
    learning_rate: float = 1e-3
    prosody_learning_rate: float = 4e-4
    warmup_steps: int = 20
    average: float = 0.97
    """Decay of the running average of the weights, which is what is judged and kept."""
    bfloat16: bool = False
    """Compute the acoustic networks in half precision: twice as fast on processors with matrix units, slow and different on others."""
    towards_base: float = 0.0
    """Share of the way back to the base's weights after every 100 steps at full rate (L2-SP, Li et al. 2018)."""
    evaluate_every: int = 40
    patience: int = 3
    """Evaluations without a better held-out loss after which a network stops; each of the two on its own."""
    tolerance: float = 0.02
    """Share by which the spectrum's held-out loss may lie above its best before later weights are refused: that loss favours smooth
    spectra, while the voice still comes nearer to the speaker (similarity 0.76 at the minimum, 0.79 two hundred steps later)."""
    vocoder_steps: int = 100
    """On the recording's own features."""
    vocoder_own_steps: int = 200
    """After that, half on the recording's features and half on the adapted acoustic model's."""
    vocoder_learning_rate: float = 5e-4
    vocoder_batch: int = 12
    vocoder_frames: int = 48
    save_every: int = 50
    """Steps between two resume states."""
    train_seconds: float = 1200.0
    """Upper bound of the speech learnt from: evenly chosen utterances beyond it are left out."""
    heldout_seconds: float = 40.0
    """Upper bound of the held-out speech that one evaluation hears."""

    def __post_init__(self) -> None:
        check_bounds(self, _BOUNDS)
        if self.learning_rate == self.prosody_learning_rate == 0.0:
            raise RuntimeSetupError(
                "learning_rate and prosody_learning_rate are both 0: nothing would be learnt", cause="settings_invalid"
            )

    @property
    def steps(self) -> int:
        """Of all phases together."""
        return self.acoustic_steps + self.vocoder_steps + self.vocoder_own_steps

    def as_dict(self) -> dict[str, Any]:
        """Plain values by field name."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> AdaptationSettings:
        """What `as_dict` gave; raises RuntimeSetupError(settings_invalid) for unknown names."""
        unknown = set(values) - {field.name for field in fields(cls)}
        if unknown:
            raise RuntimeSetupError(f"unknown settings {sorted(unknown)}", cause="settings_invalid")
        return cls(**values)


_BOUNDS = (
    ("acoustic_steps", 1, 1_000_000),
    ("batch_frames", 16, 1_000_000),
    ("learning_rate", 0.0, 1.0),
    ("prosody_learning_rate", 0.0, 1.0),
    ("warmup_steps", 0, 100_000),
    ("average", 0.0, 0.9999),
    ("towards_base", 0.0, 1.0),
    ("evaluate_every", 1, 1_000_000),
    ("patience", 1, 1_000_000),
    ("tolerance", 0.0, 10.0),
    ("vocoder_steps", 0, 1_000_000),
    ("vocoder_own_steps", 0, 1_000_000),
    ("vocoder_learning_rate", 0.0, 1.0),
    ("vocoder_batch", 1, 1024),
    ("vocoder_frames", 16, 4096),
    ("save_every", 1, 1_000_000),
    ("train_seconds", 1.0, 36_000.0),
    ("heldout_seconds", 1.0, 600.0),
)

PRESETS = {
    1: AdaptationSettings(acoustic_steps=120, evaluate_every=30, vocoder_steps=20, vocoder_own_steps=40),
    5: AdaptationSettings(),
    15: AdaptationSettings(acoustic_steps=600, evaluate_every=50, vocoder_steps=300, vocoder_own_steps=600),
}
"""By minutes on four cores without other work."""


def preset(minutes: float) -> AdaptationSettings:
    """The settings for the largest preset that fits into `minutes`; the smallest for less than a minute."""
    fitting = [bound for bound in PRESETS if bound <= minutes]
    return PRESETS[max(fitting)] if fitting else PRESETS[min(PRESETS)]
