"""Sources of players: a file beside the page, or the sound inside the page."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from urllib.parse import quote

_TYPES = {".flac": "audio/flac", ".wav": "audio/wav", ".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".opus": "audio/ogg"}


def beside(clip: Path, page: Path) -> str:
    """The relative address of `clip` for a page at `page`; the page and its clips can be moved together."""
    # ./ in front: a name with a colon is no scheme.
    return "./" + quote(Path(os.path.relpath(clip, page.parent)).as_posix())


def inside(sound: bytes, suffix: str) -> str:
    """A data URI of a sound file's bytes; raises KeyError for a suffix of no sound that browsers play."""
    return f"data:{_TYPES[suffix.lower()]};base64,{base64.b64encode(sound).decode()}"
