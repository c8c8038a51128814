"""What words and pronunciations depend on, as one hash."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from trainer.text import dictionary


@cache
def sha256() -> str:
    """Hash over the names and hashes of every source and data file of trainer.text, and the dictionary that it asks.

    The same on every machine: line ends are counted as `\\n`.
    """
    files = [path for path in Path(__file__).parent.iterdir() if path.suffix in (".py", ".json")]
    listing = "".join(
        f"{name} {_digest(path)}\n" for name, path in sorted((path.name, path) for path in [*files, dictionary.path()])
    )
    return hashlib.sha256(listing.encode()).hexdigest()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()
