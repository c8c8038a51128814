"""Finding what is said: a text beside a recording, or the table beside a folder of clips."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from trainer import lfs_pointer, plain_file
from trainer.errors import DataError

TABLE_NAME = "metadata.csv"
CLIP_FOLDERS = ("clips", "wavs", "audio", ".")
AUDIO_SUFFIXES = (".flac", ".wav", ".ogg", ".opus", ".mp3")
MAX_TEXT_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Sidecar:
    """The text of a whole recording."""

    path: Path
    text: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """One clip of a folder: its id, its file, what is said in it (empty if unknown) and where that was written."""

    id: str
    path: Path
    transcript: str
    transcript_source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipFolder:
    """A folder of clips in the order of their ids, with its table if there is one."""

    root: Path
    clips: tuple[Clip, ...]
    table: Path | None
    table_sha256: str | None


def sidecar(audio: Path) -> Sidecar | None:
    """The text beside `audio` (`name.txt`, or `name.flac.txt`); None if there is none. Raises DataError(transcript_invalid)."""
    for path in (audio.with_suffix(".txt"), audio.with_name(audio.name + ".txt")):
        if path != audio and path.exists():
            text = _read_text(path).strip()
            if not text:
                raise DataError(f"{path}: the transcript is empty; write what is said or remove the file", cause="transcript_invalid")
            return Sidecar(path=path, text=text, sha256=plain_file.sha256_through_links(path))
    return None


def is_clip_folder(audio: Path) -> bool:
    """Whether `audio` names a folder of clips or its table rather than one recording."""
    return audio.is_dir() or audio.name == TABLE_NAME


def clip_folder(audio: Path) -> ClipFolder:
    """The clips of a folder, or of the folder that a `metadata.csv` describes (`id|text` or `id|text|normalised text`).

    Raises DataError: transcript_invalid naming file and line, audio_missing when no clip is there.
    """
    table = audio if audio.name == TABLE_NAME else table_of(audio)
    clips = _clips_of_table(table) if table else _clips_of_directory(audio)
    if not clips:
        raise DataError(f"{audio}: no clip in this folder ({', '.join(AUDIO_SUFFIXES)}); put the recording there", cause="audio_missing")
    ordered = tuple(sorted(clips, key=lambda clip: clip.id))
    return ClipFolder(root=audio, clips=ordered, table=table, table_sha256=plain_file.sha256_through_links(table) if table else None)


def table_of(folder: Path) -> Path | None:
    """The `metadata.csv` that describes a folder: in it, or beside it for a folder of the usual names."""
    for candidate in (folder / TABLE_NAME, folder.parent / TABLE_NAME):
        if candidate.is_file() and (candidate.parent == folder or folder.name in CLIP_FOLDERS):
            return candidate
    return None


def table_rows(table: Path, text: str) -> Iterator[tuple[int, str, str]]:
    """Line number, id and transcript of each row of a table with this content; raises DataError(transcript_invalid)."""
    seen: dict[str, int] = {}
    for number, row in enumerate(text.split("\n"), start=1):
        if not row.strip():
            continue
        clip_id, said = _row_fields(table, number, row.rstrip("\r"))
        if clip_id in seen:
            raise bad_row(table, number, f"id {clip_id!r} is already on line {seen[clip_id]}")
        seen[clip_id] = number
        yield number, clip_id, said


def clip_places(clip_id: str) -> Iterator[str]:
    """Where the audio of a row may lie, relative to the table, in the order in which it is looked for."""
    names = [clip_id] if clip_id.lower().endswith(AUDIO_SUFFIXES) else [clip_id + suffix for suffix in AUDIO_SUFFIXES]
    return (f"{folder}/{name}" if folder != "." else name for folder in CLIP_FOLDERS for name in names)


def _clips_of_table(table: Path) -> list[Clip]:
    clips: list[Clip] = []
    for number, clip_id, text in table_rows(table, _read_text(table)):
        path = next((table.parent / place for place in clip_places(clip_id) if (table.parent / place).is_file()), None)
        if path is None:
            raise no_clip_of_row(table, number, clip_id)
        clips.append(Clip(id=clip_id, path=path, transcript=text, transcript_source="metadata"))
    return clips


def no_clip_of_row(table: Path, number: int, clip_id: str) -> DataError:
    """The error for a row whose audio is not there."""
    return bad_row(table, number, f"no audio file for id {clip_id!r} in {', '.join(CLIP_FOLDERS)}")


def _clips_of_directory(folder: Path) -> list[Clip]:
    """Clips without a table: each may have a text of its own beside it."""
    clips: dict[str, Clip] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in AUDIO_SUFFIXES or path.name.startswith("."):
            continue
        if "|" in path.stem or path.stem != path.stem.strip() or any(unicodedata.category(one) in ("Cc", "Cs") for one in path.stem):
            raise DataError(f"{str(path)!r}: `id|text` cannot name this clip; rename it", cause="transcript_invalid")
        if path.stem in clips:
            raise DataError(
                f"{path}: another clip has the same name ({clips[path.stem].path.name}); rename one", cause="transcript_invalid"
            )
        text = sidecar(path)
        clips[path.stem] = Clip(
            id=path.stem,
            path=path,
            transcript=" ".join(text.text.split()) if text else "",
            transcript_source="sidecar" if text else "none",
        )
    return list(clips.values())


def _row_fields(table: Path, number: int, row: str) -> tuple[str, str]:
    """Id and text of one row; the normalised text wins where there is one. The format has no quoting."""
    columns = [column.strip() for column in row.split("|")]
    if len(columns) not in (2, 3):
        raise bad_row(table, number, f"{len(columns)} columns instead of id|text or id|text|normalised")
    clip_id, text = columns[0], columns[-1] or columns[1]
    if not clip_id or clip_id in (".", "..") or any(character in "/\\" for character in clip_id):
        raise bad_row(table, number, f"id {clip_id!r} is not a plain file name")
    if not text:
        raise bad_row(table, number, f"no text for id {clip_id!r}")
    return clip_id, " ".join(text.split())


def _read_text(path: Path) -> str:
    """UTF-8 text without control characters; raises DataError(transcript_invalid) naming the line."""
    if not path.is_file() or path.stat().st_size > MAX_TEXT_BYTES:
        raise DataError(f"{path}: not a regular text file of less than 64 MiB; replace it", cause="transcript_invalid")
    return decode(path, path.read_bytes())


def decode(path: Path, data: bytes) -> str:
    """The text of a transcript or table with this content; raises as `_read_text`."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = data[: error.start].count(b"\n") + 1
        raise bad_row(path, number, "not UTF-8") from error
    if lfs_pointer.pointer_oid(data) is not None:
        raise DataError(f"{path}: a Git LFS pointer, not a transcript; run git lfs pull", cause="transcript_invalid")
    for number, line in enumerate(text.split("\n"), start=1):
        bad = next((c for c in line.rstrip("\r") if unicodedata.category(c) == "Cc" and c != "\t"), None)
        if bad is not None:
            raise bad_row(path, number, f"control character U+{ord(bad):04X}")
    return text


def bad_row(path: Path, number: int, problem: str) -> DataError:
    """The error for one line of a text."""
    return DataError(f"{path}, line {number}: {problem}; correct the line", cause="transcript_invalid")
