"""The text beside a whole recording."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trainer import clip_folder, plain_file, spoken_text
from trainer.clip_names import folded, stem

_CUE_SUFFIXES = (".srt", ".vtt", ".tsv", ".json", ".sbv", ".lrc", ".textgrid")
"""What recognisers and subtitle tools write beside a recording; a plain text goes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sidecar:
    """The text of a whole recording; `notes` say how it was read, a line each."""

    path: Path
    text: str
    sha256: str
    notes: tuple[str, ...]


def sidecar(audio: Path) -> Sidecar | None:
    """The text beside `audio` (`name.txt`, `name.srt`, …); None if there is none. Raises DataError(transcript_invalid)."""
    found = _beside(audio)
    if not found:
        return None
    said = spoken_text.read(found[0])
    others = ", ".join(path.name for path in found[1:])
    notes = (*said.notes, *([f"{found[0].name} is used; not read beside it: {others}"] if others else ()))
    return Sidecar(path=found[0], text=said.text, sha256=plain_file.sha256_through_links(found[0]), notes=notes)


def _beside(audio: Path) -> list[Path]:
    """Texts that belong to the recording by their names, the one to use first."""
    names = {folded(path.name): path for path in sorted(audio.parent.iterdir())} if audio.parent.is_dir() else {}
    wanted = [*clip_folder.text_names(audio.name), *(start + suffix for suffix in _CUE_SUFFIXES for start in (stem(audio.name), audio.name))]
    found = [names[name] for each in wanted if (name := folded(each)) in names]
    return [path for path in dict.fromkeys(found) if path.name != audio.name]
