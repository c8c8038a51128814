"""The acoustic model: symbols and a speaker in; mel spectrogram, F0 and voicing out (non-autoregressive, durations explicit)."""

from trainer.acoustic.model import AcousticConfig, AcousticModel, Rendering
from trainer.acoustic.speaker import Speaker

__all__ = ["AcousticConfig", "AcousticModel", "Rendering", "Speaker"]
