"""The voice of a checkpoint."""

from __future__ import annotations

from pathlib import Path

from trainer.files import checkpoint
from trainer.models.natural import pronunciations
from trainer.synthesis.natural_voice import NaturalVoice
from trainer.voice import natural_document


def load(path: Path) -> NaturalVoice:
    """A voice, ready to speak; raises CheckpointError for a file that holds none."""
    document, sha256 = checkpoint.read_with_sha256(path)
    natural_document.check_version(document)
    # First: reading the dictionaries takes 60 MB more than having them, and the model fits into those.
    pronunciations.load()
    voice = NaturalVoice.restored(document, sha256)
    voice.warm_up()
    return voice
