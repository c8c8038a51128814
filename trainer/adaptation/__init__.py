"""From the base to one speaker's voice: acoustic model, its statistics, vocoder; and the one document that holds the result."""

from trainer.adaptation.adapt import Adaptation, Hooks
from trainer.adaptation.settings import AdaptationSettings, preset
from trainer.adaptation.spoken import Base, Spoken
from trainer.adaptation.voice import Voice, load, restore

__all__ = ["Adaptation", "AdaptationSettings", "Base", "Hooks", "Spoken", "Voice", "load", "preset", "restore"]
