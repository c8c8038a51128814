"""What the recogniser heard in clips of earlier runs, beside the manifest, by the clips' digests: a changed text changes none of them.

The file lies where jobs write: it can spare the recogniser its work and nothing else. What another recogniser heard (other models, another
release, other settings) is not used, nor is a file in which anything was changed since it was written.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainer.files import plain_file, strict_json
from trainer.files.atomic_file import write_atomically
from trainer.preparation.transcription import recognise

NAME = "recognised.json"
_SCHEMA = "recognised/2"
_MAX_BYTES = 16 * 2**20


def read(path: Path) -> dict[str, str]:
    """Words by the clip's SHA-256; nothing where the file is missing or is not what `write` wrote with this recogniser."""
    try:
        document = strict_json.loads(plain_file.read(path, limit=_MAX_BYTES))
    except (OSError, ValueError):
        return {}
    heard = document.get("heard") if isinstance(document, dict) else None
    if (
        not isinstance(heard, dict)
        or not all(isinstance(said, str) for said in heard.values())
        or document != _document(heard)
    ):
        return {}
    return heard


def write(path: Path, heard: Mapping[str, str]) -> None:
    """Replace the file; raises TrainingError where it cannot be written."""
    write_atomically(path, strict_json.readable(_document(heard), indent=1))


def _document(heard: Mapping[str, str]) -> dict[str, Any]:
    content = {"schema": _SCHEMA, "recogniser": recognise.identity(), "heard": dict(heard)}
    return {**content, "sha256": strict_json.digest(content)}
