"""Settings of an adaptation, and presets for the minutes that it may take."""

from __future__ import annotations

from dataclasses import dataclass

from trainer.errors import RuntimeSetupError
from trainer.training.settings import BoundedSettings, bounded


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptationSettings(BoundedSettings):
    """How a voice is adapted; counted in steps, never in time, so that a result does not depend on how busy the machine was."""

    acoustic_steps: int = bounded(360, 1, 1_000_000)
    batch_frames: int = bounded(2400, 16, 1_000_000)
    """Frames of an acoustic batch (86 a second), padding included."""
    learning_rate: float = bounded(1e-3, 0.0, 1.0)
    prosody_learning_rate: float = bounded(4e-4, 0.0, 1.0)
    warmup_steps: int = bounded(20, 0, 100_000)
    average: float = bounded(0.97, 0.0, 0.9999)
    """Decay of the running average of the weights, which is what is judged and kept."""
    bfloat16: bool = False
    """Compute the acoustic networks in half precision: twice as fast on processors with matrix units, slow and different on others."""
    towards_base: float = bounded(0.0, 0.0, 1.0)
    """Share of the way back to the base's weights after every 100 steps at full rate (L2-SP, Li et al. 2018)."""
    evaluate_every: int = bounded(40, 1, 1_000_000)
    patience: int = bounded(3, 1, 1_000_000)
    """Evaluations without a better held-out loss after which a network stops; each of the two on its own."""
    tolerance: float = bounded(0.02, 0.0, 10.0)
    """Share by which the spectrum's held-out loss may lie above its best before later weights are refused: that loss favours smooth
    spectra, while the voice still comes nearer to the speaker (similarity 0.76 at the minimum, 0.79 two hundred steps later)."""
    vocoder_steps: int = bounded(100, 0, 1_000_000)
    """On the recording's own features."""
    vocoder_own_steps: int = bounded(200, 0, 1_000_000)
    """After that, half on the recording's features and half on the adapted acoustic model's."""
    vocoder_learning_rate: float = bounded(5e-4, 0.0, 1.0)
    vocoder_batch: int = bounded(12, 1, 1024)
    vocoder_frames: int = bounded(48, 16, 4096)
    save_every: int = bounded(50, 1, 1_000_000)
    """Steps between two resume states."""
    train_seconds: float = bounded(1200.0, 1.0, 36_000.0)
    """Upper bound of the speech learnt from: evenly chosen utterances beyond it are left out."""
    heldout_seconds: float = bounded(40.0, 1.0, 600.0)
    """Upper bound of the held-out speech that one evaluation hears."""

    def __post_init__(self) -> None:
        BoundedSettings.__post_init__(self)
        if self.learning_rate == self.prosody_learning_rate == 0.0:
            raise RuntimeSetupError(
                "learning_rate and prosody_learning_rate are both 0: nothing would be learnt", cause="settings_invalid"
            )

    @property
    def steps(self) -> int:
        """Of all phases together."""
        return self.acoustic_steps + self.vocoder_steps + self.vocoder_own_steps


PRESETS = {
    1: AdaptationSettings(acoustic_steps=120, evaluate_every=30, vocoder_steps=20, vocoder_own_steps=40),
    5: AdaptationSettings(),
    15: AdaptationSettings(acoustic_steps=600, evaluate_every=50, vocoder_steps=300, vocoder_own_steps=600),
}
"""By minutes on four cores without other work."""
