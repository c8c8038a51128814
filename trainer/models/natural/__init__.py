"""The network of the natural voices: symbols of the misaki alphabet in, a 24 kHz wave out."""

from trainer.models.natural import alphabet, measures, sound, times
from trainer.models.natural.model import Melody, NaturalConfig, NaturalModel

__all__ = ["Melody", "NaturalConfig", "NaturalModel", "alphabet", "measures", "sound", "times"]
