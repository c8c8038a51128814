"""One text beside a recording: which format it is, what is said, and what was taken out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trainer.errors import DataError
from trainer.files import text_file
from trainer.preparation.spoken_text import cues, documents, plain

_STEP = "write what is said as plain text, or remove the file and let the speech be recognised"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenText:
    """What is said, as plain text; `notes` say how the file was read, a line each (none for plain text with nothing taken out)."""

    text: str
    format: str
    notes: tuple[str, ...]


def read(path: Path) -> SpokenText:
    """What the text beside a recording says; raises DataError(transcript_invalid) naming the file, the problem and the next step."""
    return decoded(path, text_file.content(path))


def decoded(path: Path, data: bytes) -> SpokenText:
    """`read` for bytes that are read already; `path` is named in errors."""
    refused = documents.refused_bytes(data)
    text = "" if refused else text_file.decode(path, data)
    refused = refused or documents.refused_text(text)
    if refused:
        raise DataError(f"{path}: {refused[0]}, not a plain text; {refused[1]}", cause=text_file.CAUSE)
    return parse(path, text)


def parse(path: Path, text: str) -> SpokenText:
    """`read` for a text that is read already; `path` is named in errors."""
    try:
        found = cues.find(text)
    except cues.CueError as error:
        raise DataError(f"{path}: {error}", cause=text_file.CAUSE) from error
    name = found[0] if found else "plain text"
    said, taken, examples = plain.clean("\n".join(found[1]) if found else text, cues=found is not None)
    notes = [f"{path.name} is read as {name}: {len(found[1])} pieces, their times are left out"] if found else []
    if taken:
        listed = ", ".join(
            f"{count} {kind} ({examples[kind]})" if examples.get(kind) else f"{count} {kind}"
            for kind, count in taken.items()
        )
        notes.append(f"{path.name}: not spoken and left out: {listed}")
    if not said.strip():
        raise DataError(
            f"{path}: {'the transcript is empty' if not text.strip() else f'{name} without a word'}; {_STEP}",
            cause=text_file.CAUSE,
        )
    return SpokenText(text=said.strip(), format=name, notes=tuple(notes))
