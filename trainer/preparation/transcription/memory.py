"""What the recogniser heard in clips of earlier runs, beside the manifest, by the clips' digests: a changed text changes none of them.

The file lies where jobs write: it can spare the recogniser its work and nothing else. What another recogniser heard (other models, another
release, other settings) is not used, nor is a file in which anything was changed since it was written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from trainer.files import plain_file, strict_json, typed_json
from trainer.files.atomic_file import write_atomically
from trainer.preparation.recognisers import Heard

NAME = "recognised.json"
_SCHEMA = "recognised/2"
_MAX_BYTES = 16 * 2**20


def read(path: Path, recogniser: str) -> dict[str, Heard]:
    """What was heard by the clip's SHA-256; nothing where the file is missing or is not what `write` wrote with a recogniser of this identity."""
    try:
        document = strict_json.loads(plain_file.read(path, limit=_MAX_BYTES))
        kept = document.get("heard") if isinstance(document, dict) else None
        heard = {clip: _loaded(one) for clip, one in kept.items()} if isinstance(kept, dict) else {}
    except (OSError, ValueError):
        return {}
    return heard if heard and document == strict_json.loads(_dumped(heard, recogniser)) else {}


def write(path: Path, heard: Mapping[str, Heard], recogniser: str) -> None:
    """Replace the file; raises TrainingError where it cannot be written."""
    write_atomically(path, _dumped(heard, recogniser))


def _dumped(heard: Mapping[str, Heard], recogniser: str) -> bytes:
    kept = {clip: _kept(one) for clip, one in heard.items()}
    content = {"schema": _SCHEMA, "recogniser": recogniser, "heard": kept}
    return strict_json.readable({**content, "sha256": strict_json.digest(content)}, indent=1)


def _kept(heard: Heard) -> str | dict[str, Any]:
    """The text alone where it says all that later steps ask for."""
    plain = not heard.doubts and heard.spoken == tuple(heard.text.split())
    return heard.text if plain else asdict(heard)


def _loaded(kept: object) -> Heard:
    """Raises ValueError for what `_kept` does not give."""
    return Heard(text=kept) if isinstance(kept, str) else typed_json.build(Heard, kept)
