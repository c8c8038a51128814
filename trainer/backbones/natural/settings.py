"""Settings of a natural voice's adaptation, and presets for the minutes that it may take."""

from __future__ import annotations

from dataclasses import dataclass

from trainer.training.settings import BoundedSettings, bounded


@dataclass(frozen=True, slots=True, kw_only=True)
class NaturalSettings(BoundedSettings):
    """How a voice is adapted; counted in steps, never in time, so that a result does not depend on how busy the machine was."""

    spectral_steps: int = bounded(240, 1, 1_000_000)
    """On how far spectra lie apart, alone."""
    adversarial_steps: int = bounded(240, 0, 1_000_000)
    """After that, also against discriminators."""
    batch: int = bounded(2, 1, 256)
    segment_frames: int = bounded(160, 32, 4096)
    """Length of a training example in frames of 12.5 ms."""
    learning_rate: float = bounded(5e-4, 0.0, 1.0)
    adversarial_learning_rate: float = bounded(3e-4, 0.0, 1.0)
    discriminator_learning_rate: float = bounded(5e-4, 0.0, 1.0)
    judged_frames: int = bounded(80, 16, 4096)
    """How much of an example the discriminators hear."""
    adversarial_weight: float = bounded(0.25, 0.0, 100.0)
    matching_weight: float = bounded(1.0, 0.0, 100.0)
    """Of the distance between what the discriminators make of speech and of its imitation."""
    warmup_steps: int = bounded(10, 0, 100_000)
    average: float = bounded(0.98, 0.0, 0.9999)
    """Decay of the running average of the weights, which is what is kept."""
    evaluate_every: int = bounded(60, 1, 1_000_000)
    save_every: int = bounded(50, 1, 1_000_000)
    """Steps between two resume states."""
    train_seconds: float = bounded(1200.0, 1.0, 36_000.0)
    """Upper bound of the speech learnt from: evenly chosen utterances beyond it are left out."""
    told_below_seconds: float = bounded(120.0, 0.0, 36_000.0)
    """With less speech to learn from, a training starts from the base that was told who speaks (natural_base.for_speaker)."""
    heldout_seconds: float = bounded(40.0, 1.0, 600.0)
    """Upper bound of the held-out speech that one evaluation hears."""

    @property
    def steps(self) -> int:
        """Of both stages together."""
        return self.spectral_steps + self.adversarial_steps


PRESETS = {
    1: NaturalSettings(spectral_steps=120, adversarial_steps=60),
    5: NaturalSettings(),
    15: NaturalSettings(spectral_steps=400, adversarial_steps=600),
}
"""By minutes on two cores without other work."""
