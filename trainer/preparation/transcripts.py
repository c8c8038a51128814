"""The text beside a whole recording: for preparation, and for the manifest of a recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from trainer.dataset import clip_folder
from trainer.dataset.clip_folder import OTHER_TEXTS, Clip, Found, Problem
from trainer.dataset.clip_listing import flat
from trainer.dataset.clip_names import clip_id, folded, shown, stem
from trainer.errors import DataError
from trainer.files import plain_file
from trainer.preparation import spoken_text
from trainer.preparation.spoken_text import SpokenText

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
    found = _beside(audio.name, _names(audio.parent))
    if not found:
        return None
    path = audio.parent / found[0]
    said = spoken_text.read(path)
    return Sidecar(path=path, text=said.text, sha256=plain_file.sha256_through_links(path), notes=_notes(said, found))


def of_recording(root: Path, name: str) -> Found:
    """One audio file of a folder with the text that `sidecar` finds, no link followed; raises as `clip_folder.of_table`."""
    wanted = {name, *map(folded, text_names(name))}
    found = clip_folder.look(partial(flat, root, [""], wanted=lambda each: each == name or folded(each) in wanted))
    found.notes += unread(root / name)
    if name in found.listing.files:
        beside, text = _beside(name, sorted(found.listing.files)), ""
        try:
            text = _text(found, beside) if beside else ""
        except DataError as error:
            found.problems.append(Problem(path=beside[0], error=error))
        found.clips.append(
            Clip(id=clip_id(name), path=name, transcript=text, transcript_source="sidecar" if beside else "none")
        )
    return clip_folder.closed(found)


def text_names(audio: str) -> list[str]:
    """Where the text of a recording may lie: as for a clip, and then what has times."""
    return [
        *clip_folder.text_names(audio),
        *(start + suffix for suffix in _CUE_SUFFIXES for start in (stem(audio), audio)),
    ]


def unread(audio: Path) -> list[str]:
    """A sentence about documents that are called like the recording and are not read; none if there is none."""
    read, own = {*map(folded, text_names(audio.name))}, folded(stem(audio.name))
    others = [
        name
        for name in _names(audio.parent)
        if Path(name).suffix.lower() in OTHER_TEXTS and folded(Path(name).stem) == own
    ]
    listed = ", ".join(shown(name) for name in others if folded(name) not in read)
    return [f"not read: {listed}; save what is said as {shown(stem(audio.name))}.txt"] if listed else []


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def _text(found: Found, beside: Sequence[str]) -> str:
    """The first of the texts of a recording, blanks collapsed."""
    found.read.update(beside)
    said = spoken_text.decoded(found.listing.root / beside[0], clip_folder.bytes_of(found.listing, beside[0]))
    found.notes += _notes(said, beside)
    return " ".join(said.text.split())


def _notes(said: SpokenText, beside: Sequence[str]) -> tuple[str, ...]:
    others = ", ".join(beside[1:])
    return (*said.notes, *([f"{beside[0]} is used; not read beside it: {others}"] if others else ()))


def _beside(audio: str, names: Sequence[str]) -> list[str]:
    """Those of the names that may be texts of the recording, the one to use first."""
    known = {folded(name): name for name in names}
    found = [known[name] for each in text_names(audio) if (name := folded(each)) in known]
    return [name for name in dict.fromkeys(found) if name != audio]
