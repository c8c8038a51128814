"""A folder of clips: which files are its clips, and what is said in each, for every command that reads one.

A `metadata.csv` lists the clips (see `text_table`), or else every audio file in the folder and below is one, with the text beside it. Nothing
is raised for a single bad file: it becomes a problem beside the clips, so that a caller can refuse the folder or name all of them. No link is
followed, and nothing outside the folder is read.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from trainer.dataset import text_table
from trainer.dataset.clip_listing import NAME_CAUSE, TEXT_SUFFIXES, Identity, Listing, flat, is_text, tree
from trainer.dataset.clip_names import AUDIO_SUFFIXES, CLIP_FOLDERS, clip_id, folded, is_audio, shown, stem
from trainer.dataset.clip_paths import Finder, joined, places_of, spelled
from trainer.dataset.table_columns import resembles
from trainer.errors import DataError
from trainer.files import plain_file, text_file
from trainer.files.plain_file import PlainFileError
from trainer.files.text_file import bad_line

TABLE_NAME = "metadata.csv"
_OTHER_TABLES = (".csv", ".tsv", ".list")
OTHER_TEXTS = (
    *_OTHER_TABLES, ".srt", ".vtt", ".sbv", ".lrc", ".ass", ".ssa", ".ttml", ".textgrid", ".json", ".md", ".rtf", ".doc", ".docx", ".odt", ".pdf",
    ".epub", ".ctm", ".stm", ".trs", ".eaf",
)  # fmt: skip
"""What people write texts and times in."""
_BEFORE_TEXT = (".normalized", "", ".original")
_TIMIT = re.compile(r"0 \d{4,} +(\S.*)")
_LABEL = re.compile(r"\d+ \d+ \S+")
_NAMED = 3
_CLOCK_TICK_S = 0.02
"""File systems stamp a change with a clock that ticks this slowly, or less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """One clip that is there, and the text that goes with it; `path` is relative to the folder."""

    id: str
    path: str
    transcript: str
    """Blanks collapsed; empty if nothing is known."""
    transcript_source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What keeps a file or a row from being a clip; `path` is relative to the root."""

    path: str
    error: Exception
    clip_id: str | None = None
    """The clip that a row of a table names without there being one."""
    missing: bool = False
    """Whether only its audio is not there."""


@dataclass(slots=True, kw_only=True)
class Found:
    """A folder as it is now."""

    listing: Listing
    look: Callable[[], Listing]
    """Lists the same folders again."""
    clips: list[Clip] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    read: set[str] = field(default_factory=set)
    """The texts that were read."""
    notes: list[str] = field(default_factory=list)
    """What a person should know."""

    @property
    def unlisted(self) -> list[str]:
        """Audio files that belong to no clip."""
        return sorted(set(self.listing.audio) - {clip.path for clip in self.clips})

    def require_sound(self) -> None:
        """Raises the first problem, saying how many more there are, and DataError(audio_missing) if there is no clip."""
        problems = sorted(self.problems, key=lambda problem: (problem.missing, problem.path))
        if problems:
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            raise DataError(f"{problems[0].error}{more}", cause=problems[0].error.cause)
        if not self.clips:
            raise DataError(
                f"{shown(str(self.listing.root))}: no clip is there ({', '.join(AUDIO_SUFFIXES)}); name a recording or a folder of them",
                cause="audio_missing",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipFolder:
    """A sound folder of clips in the order of their ids, with its table if there is one."""

    root: Path
    clips: tuple[Clip, ...]
    table: Path | None
    table_sha256: str | None
    notes: tuple[str, ...]
    """What a person should know."""


def is_clip_folder(audio: Path) -> bool:
    """Whether `audio` names a folder of clips or its table rather than one recording."""
    return audio.is_dir() or audio.name == TABLE_NAME


def read(audio: Path, *, deep: bool = True) -> ClipFolder:
    """The clips of a folder, or of the folder that a `metadata.csv` describes; without `deep` and a table only those directly in it.

    Raises DataError: transcript_invalid naming file and line, audio_missing when no clip is there, what else stands against a clip.
    """
    table = audio if audio.name == TABLE_NAME else table_of(audio)
    found = of_table(table.parent) if table else of_files(audio, deep=deep)
    found.require_sound()
    return ClipFolder(
        root=found.listing.root,
        clips=tuple(found.clips),
        table=table,
        table_sha256=hashlib.sha256(bytes_of(found.listing, TABLE_NAME)).hexdigest() if table else None,
        notes=tuple(found.notes),
    )


def table_of(folder: Path) -> Path | None:
    """The `metadata.csv` that describes a folder: in it, or beside it for a folder of the usual names."""
    for candidate in (folder / TABLE_NAME, folder.parent / TABLE_NAME):
        if os.path.lexists(candidate) and (
            candidate.parent == folder or folder.absolute().name.lower() in CLIP_FOLDERS
        ):
            return candidate
    return None


def of_table(root: Path) -> Found:
    """The clips that the table of a folder lists; raises DataError where nothing can be said of it at all."""
    wanted = partial(flat, root, wanted=lambda name: is_audio(name) or name == TABLE_NAME)
    first = look(partial(wanted, [""]))
    rows = list(_rows(first))
    below = {"", *("/".join(place[:-1]) for _, places, _ in rows for place in places)}
    folders = {folded(joined(usual, each)) for usual in CLIP_FOLDERS for each in below}
    found = look(partial(wanted, ["", *spelled(root, folders)]))
    if found.listing.files.get(TABLE_NAME) != first.listing.files.get(TABLE_NAME):
        raise _changed(root / TABLE_NAME)
    found.notes += first.notes
    found.problems += [
        problem
        for problem in first.problems
        if problem.path == TABLE_NAME and problem.path not in found.listing.refused
    ]
    _take_rows(found, rows)
    return closed(found)


def of_files(root: Path, *, deep: bool = True) -> Found:
    """Every audio file of a folder with the text beside it, if there is one; raises as `of_table`."""
    found = look(partial(tree, root) if deep else partial(flat, root, [""]))
    _take_files(found, found.listing.audio)
    found.notes += _unread(found)
    return closed(found)


def text_names(audio: str) -> list[str]:
    """Where the text of a clip may lie, in the order in which it is looked for; upper and lower case do not matter."""
    beside = [stem(audio) + before + suffix for before in _BEFORE_TEXT for suffix in TEXT_SUFFIXES]
    return [*beside, *(audio + suffix for suffix in TEXT_SUFFIXES)]


def look(lister: Callable[[], Listing]) -> Found:
    """A folder as this lists it, without clips yet."""
    listing = lister()
    _wait_for_clock(listing)
    return Found(
        listing=listing,
        look=lister,
        problems=[Problem(path=path, error=error) for path, error in listing.refused.items()],
    )


def _wait_for_clock(listing: Listing) -> None:
    """A file that was written in this very tick could be written again without its times telling."""
    newest = max((identity.changed_ns for identity in listing.files.values()), default=0)
    if (time.time_ns() - newest) / 1e9 < _CLOCK_TICK_S:
        time.sleep(_CLOCK_TICK_S)


def closed(found: Found) -> Found:
    """Refuse clips whose ids (and so the texts beside them) are one and the same, here or on another system; sort the others."""
    seen: dict[str, Clip] = {}
    for clip in sorted(found.clips, key=lambda clip: clip.path):
        first = seen.setdefault(folded(clip.id), clip)
        if first is not clip:
            reason = f"has the same id as {first.path!a}, here or on systems that ignore case or the form of accents; rename one"
            error = DataError(f"{shown(str(found.listing.root / clip.path))}: {reason}", cause=NAME_CAUSE)
            found.problems.append(Problem(path=clip.path, error=error))
    found.clips = sorted(seen.values(), key=lambda clip: clip.id)
    return found


# --- a table ---

_Row = tuple[text_table.Row, list[list[str]], str]
"""A row, the places relative to the folder that its name may mean, and why there is none."""


def _rows(found: Found) -> Iterator[_Row]:
    """The rows of the table; one that cannot be read is a problem."""
    table = found.listing.root / TABLE_NAME
    try:
        rows = text_table.read(table, text_file.decode(table, bytes_of(found.listing, TABLE_NAME)), found.notes.append)
    except DataError as error:
        if TABLE_NAME not in found.listing.refused:
            found.problems.append(Problem(path=TABLE_NAME, error=error))
        return
    for row in rows:
        yield row, *places_of(row.name, found.listing.root)


def _take_rows(found: Found, rows: Sequence[_Row]) -> None:
    finder = Finder(found.listing)
    taken: dict[str, str] = {}
    for number, (row, places, problem) in enumerate(rows):
        paths = finder.paths(places)
        missing = not problem and not paths
        if missing:
            header = "" if number else " (if this line is a header, call its columns id|text)"
            problem = f"no audio file for id {row.name!r} in {', '.join(CLIP_FOLDERS)}{header}; {finder.near(row.name)}"
        elif len(paths) > 1:
            problem = f"{row.name!r} may be {' or '.join(paths)}; write the path of one"
        elif paths and paths[0] in taken:
            problem = f"{paths[0]} is already the clip of id {taken[paths[0]]!r}"
        if problem:
            error = bad_line(found.listing.root / TABLE_NAME, row.line, shown(problem))
            named = clip_id("/".join(places[0]) if places else row.name)
            found.problems.append(Problem(path=TABLE_NAME, error=error, clip_id=named, missing=missing))
            continue
        taken[paths[0]] = row.name
        if paths[0] in found.listing.files:
            found.clips.append(
                Clip(id=clip_id(paths[0]), path=paths[0], transcript=row.text, transcript_source="metadata")
            )


# --- texts beside clips ---


def _take_files(found: Found, paths: Sequence[str]) -> None:
    """Add audio files, each with the text beside it, if there is one."""
    by_name = {folded(path): path for path in found.listing.files}
    for path in paths:
        beside = [by_name[name] for each in text_names(path) if (name := folded(each)) in by_name]
        text = ""
        try:
            text = _text_beside(found, beside) if beside else ""
        except DataError as error:
            found.problems.append(Problem(path=beside[0], error=error))
        found.clips.append(
            Clip(id=clip_id(path), path=path, transcript=text, transcript_source="sidecar" if beside else "none")
        )


def _text_beside(found: Found, beside: Sequence[str]) -> str:
    """The first of the texts of a clip; raises DataError(transcript_invalid) where another one says something else."""
    found.read.update(beside)
    texts = [_words(found.listing.root / path, bytes_of(found.listing, path)) for path in beside]
    for path, text in zip(beside[1:], texts[1:], strict=True):
        if not (resembles(text, texts[0]) or resembles(texts[0], text)):
            raise DataError(
                f"{shown(str(found.listing.root / path))}: says something else than {shown(beside[0])}; keep the one that is spoken",
                cause=text_file.CAUSE,
            )
    return texts[0]


def _words(path: Path, data: bytes) -> str:
    """The text of one clip; the sample numbers that TIMIT writes before it are left out, labels with times are refused."""
    lines = [line.strip() for line in text_file.decode(path, data).split("\n") if line.strip()]
    if len(lines) == 1 and (sampled := _TIMIT.fullmatch(lines[0])):
        lines = [sampled[1]]
    if not lines:
        raise DataError(
            f"{shown(str(path))}: the transcript is empty; write what is said or remove the file", cause=text_file.CAUSE
        )
    if (len(lines) > 1 and all(_LABEL.fullmatch(line) for line in lines)) or any("-->" in line for line in lines):
        raise DataError(
            f"{shown(str(path))}: labels with times, not a text; write what is said or remove the file",
            cause=text_file.CAUSE,
        )
    return " ".join(" ".join(lines).split())


def bytes_of(listing: Listing, path: str) -> bytes:
    """A text of the folder; raises DataError(transcript_invalid), audio_changed_during_run where it is not the listed file."""
    place = listing.root / path
    try:
        with plain_file.opened(place, root=listing.root) as file:
            data = file.read(text_file.MAX_BYTES + 1)
            same = Identity.of(os.fstat(file.fileno())) == listing.files.get(path)
    except PlainFileError as error:
        raise DataError(f"{shown(str(place))}: {error}; put a text file there", cause=text_file.CAUSE) from error
    if not same:
        raise _changed(place)
    return data


def _changed(path: Path) -> DataError:
    return DataError(
        f"{shown(str(path))}: changed while it was read; leave it alone and run again", cause="audio_changed_during_run"
    )


def _unread(found: Found) -> Iterator[str]:
    """A sentence about texts that belong to no clip, and files that may be tables or texts of another kind."""
    stems = {folded(stem(path)) for path in found.listing.audio}
    others = set()
    for folder in {"", *(clip.path.rpartition("/")[0] for clip in found.clips)}:
        for name in _names(found.listing.root / folder):
            path, suffix = joined(folder, name), Path(name).suffix.lower()
            if suffix in OTHER_TEXTS and (
                folded(path)[: -len(suffix)] in stems or (not folder and suffix in _OTHER_TABLES)
            ):
                others.add(path)
    unread = sorted(({path for path in found.listing.files if is_text(path)} | others) - found.read)
    if unread:
        listed = ", ".join(shown(path) for path in unread[:_NAMED]) + (" …" if len(unread) > _NAMED else "")
        yield f"not read: {listed}; call a table {TABLE_NAME}, and the text of x.wav x.txt"


def _names(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries if not entry.name.startswith(".")]
