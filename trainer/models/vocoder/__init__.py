"""The neural vocoder: log-mel, F0 and voicing in, a 22.05 kHz wave out (differentiable harmonic plus noise)."""

from trainer.models.vocoder.losses import spectral_loss
from trainer.models.vocoder.model import Vocoder, VocoderConfig

__all__ = ["Vocoder", "VocoderConfig", "spectral_loss"]
