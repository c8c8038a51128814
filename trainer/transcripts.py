"""The text beside a whole recording."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trainer import clip_folder, plain_file, text_file
from trainer.clip_names import folded
from trainer.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class Sidecar:
    """The text of a whole recording."""

    path: Path
    text: str
    sha256: str


def sidecar(audio: Path) -> Sidecar | None:
    """The text beside `audio` (`name.txt`, `name.lab`, …); None if there is none. Raises DataError(transcript_invalid)."""
    names = {folded(path.name): path for path in sorted(audio.parent.iterdir())} if audio.parent.is_dir() else {}
    path = next((names[name] for each in clip_folder.text_names(audio.name) if (name := folded(each)) in names), None)
    if path is None:
        return None
    text = text_file.read(path).strip()
    if not text:
        raise DataError(f"{path}: the transcript is empty; write what is said or remove the file", cause="transcript_invalid")
    return Sidecar(path=path, text=text, sha256=plain_file.sha256_through_links(path))
