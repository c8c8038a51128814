"""Names of clips: which files they are, their ids, and which of them mean the same file on every system."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable

AUDIO_SUFFIXES = (".flac", ".wav", ".ogg", ".opus", ".mp3")
CLIP_FOLDERS = ("clips", "wavs", "wav", "audio", ".")
"""Where the clips of a folder lie."""


def is_audio(path: str) -> bool:
    """Whether a file is named like audio."""
    return path.lower().endswith(AUDIO_SUFFIXES)


def stem(path: str) -> str:
    """A path without the suffix of an audio file."""
    return path.rpartition(".")[0] if is_audio(path) and not path.startswith(".") else path


def clip_id(path: str) -> str:
    """The id of a clip at a relative path, or called so in a table: without suffix and usual folder, accents composed."""
    parts = [part for part in composed(path).replace("\\", "/").split("/") if part not in ("", ".")]
    return stem("/".join(parts[1:] if len(parts) > 1 and parts[0].lower() in CLIP_FOLDERS else parts))


def twins(names: Iterable[str]) -> dict[str, str]:
    """Names that another file system would take for an earlier one (upper and lower case, composed and decomposed accents), with that one."""
    seen: dict[str, str] = {}
    found: dict[str, str] = {}
    for name in sorted(names):
        first = seen.setdefault(folded(name), name)
        if first != name:
            found[name] = first
    return found


def composed(name: str) -> str:
    """The name with composed accents (NFC): what an id is, whichever way the file system writes it."""
    return unicodedata.normalize("NFC", name)


def shown(text: str) -> str:
    """The text with everything that does not print (controls, bidirectional marks, bytes that are not UTF-8) escaped."""
    readable = os.fsencode(text).decode("utf-8", "backslashreplace") if _escaped_bytes(text) else text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in readable)


def folded(name: str) -> str:
    """What two names have in common that another file system takes for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _escaped_bytes(text: str) -> bool:
    return all("\udc80" <= each <= "\udcff" for each in text if "\ud800" <= each <= "\udfff")
