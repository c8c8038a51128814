"""The acoustic model: symbols and a speaker in; mel spectrogram, F0 and voicing out (non-autoregressive, durations explicit)."""

from trainer.models.acoustic.model import AcousticConfig, AcousticModel, Rendering
from trainer.models.acoustic.speaker import Speaker

__all__ = ["AcousticConfig", "AcousticModel", "Rendering", "Speaker"]
