"""The voice of a checkpoint, of whichever generation it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainer.files import checkpoint
from trainer.synthesis.narrator import Narrator
from trainer.voice import natural_document


def load(path: Path) -> Narrator:
    """A voice, ready to speak; raises CheckpointError for a file that holds none."""
    document, sha256 = checkpoint.read_with_sha256(path)
    voice = _restored(document, sha256)
    voice.warm_up()
    return voice


def _restored(document: Mapping[str, Any], sha256: str) -> Narrator:
    # Only the one that is needed: what the first generation measures speech with takes 20 MB of memory.
    if document.get("format") == natural_document.FORMAT:
        from trainer.synthesis.natural_voice import NaturalVoice

        return NaturalVoice.restored(document, sha256)
    from trainer.synthesis.voice import Voice

    return Voice.restored(document, sha256)
