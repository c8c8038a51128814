"""Which dataset a person names, and its clips as preparation finds them (`trainer.dataset.clip_folder`)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from acceptance.failure import HarnessError
from acceptance.manifests import document
from acceptance.manifests.dataset import Dataset, Layout
from trainer.dataset import clip_folder
from trainer.dataset.clip_folder import TABLE_NAME, Clip, Found, Problem
from trainer.dataset.clip_listing import flat
from trainer.dataset.clip_names import is_audio, shown
from trainer.dataset.manifest import FILE_NAME as PREPARED_NAME
from trainer.preparation import transcripts

MANIFEST_NAME = "clip_manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a dataset lies: paths are relative to `root`; `recording` is the file's name in that layout."""

    layout: Layout
    root: Path
    recording: str = ""


def place_of(target: Path) -> Place:
    """The dataset that a person names: a folder, its metadata.csv, a preparation's manifest, or one recording. Raises HarnessError."""
    try:
        if target.name == PREPARED_NAME:
            return Place(layout=Layout.PREPARED, root=target.parent)
        if target.name == TABLE_NAME:
            return Place(layout=Layout.TABLE, root=target.parent)
        if not target.is_dir():
            return Place(layout=Layout.RECORDING, root=target.parent, recording=target.name)
        if (target / PREPARED_NAME).exists():
            return Place(layout=Layout.PREPARED, root=target)
        table = clip_folder.table_of(target)
    except OSError as error:
        raise HarnessError(
            f"{shown(str(target))}: {error.strerror}; name a folder that this user can read", cause="audio_unreadable"
        ) from error
    return Place(layout=Layout.TABLE, root=table.parent) if table else Place(layout=Layout.SIDECARS, root=target)


def manifest_in(target: Path) -> Path:
    """The manifest that a path names: itself, the one in a folder (`create`'s goes first), or the one beside a recording."""
    if is_audio(target.name):
        return target.with_name(f"{target.name}.{MANIFEST_NAME}")
    if not is_folder(target):
        return target
    for name in (MANIFEST_NAME, PREPARED_NAME):
        if (target / name).exists():
            return target / name
    raise HarnessError(
        f"{shown(str(target))}: no manifest is there; make one: voice manifest create DIR", cause="manifest_invalid"
    )


def is_folder(target: Path) -> bool:
    """Whether a path that a person names is a folder; raises HarnessError where nobody can tell."""
    try:
        return target.is_dir()
    except OSError as error:
        raise HarnessError(
            f"{shown(str(target))}: {error.strerror}; name a path that this user can read", cause="audio_unreadable"
        ) from error


def prepared_of(place: Place) -> Dataset | None:
    """What the manifest of a preparation lists; None for other places. Raises HarnessError(manifest_invalid)."""
    return document.load_prepared(place.root / PREPARED_NAME) if place.layout is Layout.PREPARED else None


def find(place: Place, prepared: Dataset | None) -> Found:
    """The clips of a place, which are those of `prepared` where it is one; raises HarnessError or DataError if nothing can be said of it."""
    if prepared:
        return _listed(place.root, prepared)
    if place.layout is Layout.TABLE:
        return clip_folder.of_table(place.root)
    if place.layout is Layout.SIDECARS:
        return clip_folder.of_files(place.root)
    return transcripts.of_recording(place.root, place.recording)


def prepared_again(root: Path, problem: str) -> HarnessError:
    """The error for clips that are not what their preparation's manifest says."""
    return HarnessError(f"{root / PREPARED_NAME}: {problem}; prepare the recording again", cause="manifest_invalid")


def _listed(root: Path, prepared: Dataset) -> Found:
    found = clip_folder.look(
        partial(flat, root, sorted({item.path.rpartition("/")[0] for item in prepared.items}), is_audio)
    )
    for item in prepared.items:
        if item.path in found.listing.files:
            source = item.transcript_source
            found.clips.append(Clip(id=item.id, path=item.path, transcript=item.transcript, transcript_source=source))
        elif item.path not in found.listing.refused:
            error = prepared_again(root, f"{item.path} is missing")
            found.problems.append(Problem(path=item.path, error=error, clip_id=item.id, missing=True))
    return clip_folder.closed(found)
