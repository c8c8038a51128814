"""The words of a text as the recogniser would write them, and what that depends on, as one hash."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import trainer.text
from trainer.text import analyse, dictionary


def spoken_words(text: str) -> tuple[str, ...]:
    """Lower-case words, numbers and abbreviations written out; raises TextError where there are none."""
    return tuple(word.text.lower() for sentence in analyse(text).sentences for word in sentence.words)


@cache
def sha256() -> str:
    """Hash over the names and hashes of every source and data file of trainer.text, and the dictionary that it asks.

    The same on every machine: line ends are counted as `\\n`.
    """
    folder = Path(trainer.text.__file__).parent
    files = [path for path in folder.iterdir() if path.suffix in (".py", ".json")]
    listing = "".join(
        f"{name} {_digest(path)}\n" for name, path in sorted((path.name, path) for path in [*files, dictionary.path()])
    )
    return hashlib.sha256(listing.encode()).hexdigest()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()
