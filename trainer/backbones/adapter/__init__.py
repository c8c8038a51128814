"""From the base to one speaker's voice: acoustic model, its statistics, vocoder; and the one document that holds the result."""

from trainer.backbones.adapter.adapt import Adaptation, Hooks
from trainer.backbones.adapter.settings import AdaptationSettings
from trainer.backbones.fitting_speech import Spoken
from trainer.voice.base import Base
from trainer.voice.document import Voice, load, restore

__all__ = ["Adaptation", "AdaptationSettings", "Base", "Hooks", "Spoken", "Voice", "load", "restore"]
