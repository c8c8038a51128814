"""Finding the clips of a folder and what is said in each, as preparation finds them.

Nothing is raised for a single bad file: it becomes a problem beside the clips, so that `create` can refuse the folder and `verify` can name all of
them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from acceptance.manifests import document, names
from acceptance.manifests.dataset import Dataset, Item, Layout
from acceptance.manifests.listing import NAME_CAUSE, Identity, Listing, flat, is_audio, tree
from trainer import plain_file, transcripts
from trainer.errors import DataError
from trainer.manifest import FILE_NAME as PREPARED_NAME
from trainer.plain_file import PlainFileError
from trainer.transcripts import CLIP_FOLDERS, MAX_TEXT_BYTES, TABLE_NAME

_CLOCK_TICK_S = 0.02
"""File systems stamp a change with a clock that ticks this slowly, or less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a dataset lies: paths are relative to `root`; `recording` is the file's name in that layout."""

    layout: Layout
    root: Path
    recording: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundClip:
    """One clip that is there, and the text that goes with it."""

    id: str
    path: str
    transcript: str
    transcript_source: str
    entry: Item | None = None
    """What the preparation's manifest says of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What keeps a file or a row from entering a manifest; `path` is relative to the root."""

    path: str
    error: DataError
    clip_id: str | None = None
    """The clip that a row of a table names without there being one."""


@dataclass(slots=True, kw_only=True)
class Found:
    """A folder as it is now."""

    listing: Listing
    look: Callable[[], Listing]
    """Lists the same folders again."""
    clips: list[FoundClip] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def unlisted(self) -> list[str]:
        """Audio files that belong to no clip."""
        return sorted(set(self.listing.audio) - {clip.path for clip in self.clips})


def place_of(target: Path) -> Place:
    """The dataset that a person names: a folder, its metadata.csv, a preparation's manifest, or one recording. Raises DataError."""
    try:
        if target.name == PREPARED_NAME:
            return Place(layout=Layout.PREPARED, root=target.parent)
        if target.name == TABLE_NAME:
            return Place(layout=Layout.TABLE, root=target.parent)
        if not target.is_dir():
            return Place(layout=Layout.RECORDING, root=target.parent, recording=target.name)
        if (target / PREPARED_NAME).exists():
            return Place(layout=Layout.PREPARED, root=target)
        table = transcripts.table_of(target)
    except OSError as error:
        raise DataError(
            f"{names.shown(str(target))}: {error.strerror}; name a folder that this user can read", cause="audio_unreadable"
        ) from error
    return Place(layout=Layout.TABLE, root=table.parent) if table else Place(layout=Layout.SIDECARS, root=target)


def find(place: Place, prepared: Dataset | None = None) -> Found:
    """The clips of a place; raises DataError where nothing can be said of it at all.

    `prepared` stands in for a preparation's manifest, where its word is not wanted.
    """
    if place.layout is Layout.PREPARED and prepared is None:
        prepared = document.load_prepared(place.root / PREPARED_NAME)
    look = partial(_listing, place, prepared)
    found = Found(listing=look(), look=look)
    _wait_for_clock(found.listing)
    found.problems += [Problem(path=path, error=error) for path, error in found.listing.refused.items()]
    if prepared:
        _take_entries(found, prepared)
    elif place.layout is Layout.TABLE:
        _take_rows(found)
    else:
        for path in found.listing.audio if place.layout is Layout.SIDECARS else [place.recording]:
            if path in found.listing.files:
                _take_file(found, path)
    _refuse_same_ids(found)
    found.clips.sort(key=lambda clip: clip.id)
    return found


def _listing(place: Place, prepared: Dataset | None) -> Listing:
    if prepared:
        return flat(place.root, sorted({item.path.rpartition("/")[0] for item in prepared.items}), is_audio)
    if place.layout is Layout.SIDECARS:
        return tree(place.root)
    if place.layout is Layout.TABLE:
        folders = ["" if folder == "." else folder for folder in CLIP_FOLDERS]
        return flat(place.root, folders, lambda name: is_audio(name) or name == TABLE_NAME)
    wanted = {place.recording, *text_names(place.recording)}
    return flat(place.root, [""], lambda name: name in wanted)


def _wait_for_clock(listing: Listing) -> None:
    """A file that was written in this very tick could be written again without its times telling."""
    newest = max((identity.changed_ns for identity in listing.files.values()), default=0)
    age_s = (time.time_ns() - newest) / 1e9
    if age_s < _CLOCK_TICK_S:
        time.sleep(_CLOCK_TICK_S)


def _take_entries(found: Found, prepared: Dataset) -> None:
    for item in prepared.items:
        if item.path in found.listing.files:
            source = item.transcript_source
            found.clips.append(FoundClip(id=item.id, path=item.path, transcript=item.transcript, transcript_source=source, entry=item))
        elif item.path not in found.listing.refused:
            error = prepared_again(found.listing.root, f"{item.path} is missing")
            found.problems.append(Problem(path=item.path, error=error, clip_id=item.id))


def prepared_again(root: Path, problem: str) -> DataError:
    """The error for clips that are not what their preparation's manifest says."""
    return DataError(f"{root / PREPARED_NAME}: {problem}; prepare the recording again", cause="manifest_invalid")


def _take_rows(found: Found) -> None:
    table = found.listing.root / TABLE_NAME
    taken: dict[str, str] = {}
    for number, clip_id, text in _rows(found, table):
        places = list(transcripts.clip_places(clip_id))
        path = next((each for each in places if each in found.listing.files or each in found.listing.refused), None)
        if path is None:
            error = transcripts.no_clip_of_row(table, number, clip_id)
        elif path in taken:
            error = transcripts.bad_row(table, number, f"{path} is already the clip of id {taken[path]!r}")
        else:
            taken[path] = clip_id
            if path in found.listing.files:
                clip = FoundClip(id=names.composed(clip_id), path=path, transcript=text, transcript_source="metadata")
                found.clips.append(clip)
            continue
        found.problems.append(Problem(path=TABLE_NAME, error=error, clip_id=names.composed(clip_id)))


def _rows(found: Found, table: Path) -> Iterator[tuple[int, str, str]]:
    """The rows up to the first that cannot be read."""
    try:
        yield from transcripts.table_rows(table, _text(found.listing, TABLE_NAME))
    except DataError as error:
        if TABLE_NAME not in found.listing.refused:
            found.problems.append(Problem(path=TABLE_NAME, error=error))


def _take_file(found: Found, path: str) -> None:
    """An audio file with the text beside it, if there is one."""
    beside = next((name for name in text_names(path) if name in found.listing.files), None)
    try:
        text = " ".join(_text(found.listing, beside).split()) if beside else ""
        if beside and not text:
            raise DataError(
                f"{found.listing.root / beside}: the transcript is empty; write what is said or remove the file",
                cause="transcript_invalid",
            )
    except DataError as error:
        found.problems.append(Problem(path=beside or path, error=error))
        text = ""
    clip_id = names.composed(path.rpartition(".")[0] or path)
    found.clips.append(FoundClip(id=clip_id, path=path, transcript=text, transcript_source="sidecar" if beside else "none"))


def _refuse_same_ids(found: Found) -> None:
    """Clips whose ids (and so the texts beside them) are one and the same, here or on another system."""
    seen: dict[str, FoundClip] = {}
    for clip in sorted(found.clips, key=lambda clip: clip.path):
        first = seen.setdefault(names.folded(clip.id), clip)
        if first is not clip:
            reason = f"has the same id as {first.path!a}, here or on systems that ignore case or the form of accents; rename one"
            error = DataError(f"{found.listing.root / clip.path}: {reason}", cause=NAME_CAUSE)
            found.problems.append(Problem(path=clip.path, error=error))
    found.clips = list(seen.values())


def text_names(audio: str) -> tuple[str, str]:
    """Where the text of a clip may lie, in the order in which it is looked for."""
    return f"{audio.rpartition('.')[0] or audio}.txt", f"{audio}.txt"


def _text(listing: Listing, path: str) -> str:
    """A text of the folder; raises DataError(transcript_invalid), audio_changed_during_run where it is not the listed file."""
    place = listing.root / path
    try:
        with plain_file.opened(place, root=listing.root) as file:
            data = file.read(MAX_TEXT_BYTES + 1)
            same = Identity.of(os.fstat(file.fileno())) == listing.files.get(path)
    except PlainFileError as error:
        raise DataError(f"{place}: {error}; put a text file there", cause="transcript_invalid") from error
    if not same:
        raise DataError(f"{place}: changed while it was read; leave it alone and run again", cause="audio_changed_during_run")
    if len(data) > MAX_TEXT_BYTES:
        raise DataError(f"{place}: larger than {MAX_TEXT_BYTES} bytes; put the transcript there", cause="transcript_invalid")
    return transcripts.decode(place, data)
