"""The voice of a checkpoint."""

from __future__ import annotations

from pathlib import Path

from trainer.files import checkpoint
from trainer.synthesis.natural_voice import NaturalVoice


def load(path: Path) -> NaturalVoice:
    """A voice, ready to speak; raises CheckpointError for a file that holds none."""
    voice = NaturalVoice.restored(*checkpoint.read_with_sha256(path))
    voice.warm_up()
    return voice
