"""The words of a text as the recogniser would write them, and what that depends on, as one hash."""

from __future__ import annotations

from trainer.text import analyse
from trainer.text.sources import sha256

__all__ = ["sha256", "spoken_words"]


def spoken_words(text: str) -> tuple[str, ...]:
    """Lower-case words, numbers and abbreviations written out; raises TextError where there are none."""
    return tuple(word.text.lower() for sentence in analyse(text).sentences for word in sentence.words)
