"""The voice of a checkpoint, of whichever generation it is."""

from __future__ import annotations

from pathlib import Path

from trainer.files import checkpoint
from trainer.synthesis.narrator import Narrator
from trainer.synthesis.natural_voice import NaturalVoice
from trainer.synthesis.voice import Voice
from trainer.voice import natural_document


def load(path: Path) -> Narrator:
    """A voice, ready to speak; raises CheckpointError for a file that holds none."""
    document, sha256 = checkpoint.read_with_sha256(path)
    kind = NaturalVoice if document.get("format") == natural_document.FORMAT else Voice
    voice = kind.restored(document, sha256)
    voice.warm_up()
    return voice
