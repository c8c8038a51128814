"""A folder as a dataset: every clip found, hashed and described, or an error that names the first file that stands against it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path

from acceptance.failure import HarnessError
from acceptance.manifests import document, hashing, layout
from acceptance.manifests.dataset import Dataset, Item, text_sha256
from acceptance.manifests.hashing import Content
from acceptance.manifests.layout import MANIFEST_NAME, Place
from trainer.dataset import clip_names as names
from trainer.dataset.clip_folder import TABLE_NAME, Clip, Found
from trainer.dataset.clip_listing import is_clip_file, is_text
from trainer.dataset.manifest import FILE_NAME as PREPARED_NAME
from trainer.files import output_file
from trainer.files.atomic_file import write_atomically
from trainer.files.output_file import Output
from trainer.preparation.transcripts import text_names

Progress = Callable[[int, int], None]
"""Receives how many more bytes are done, and of how many in all; called from any thread."""


def create(
    target: Path,
    output: Path | None = None,
    *,
    overwrite: bool = False,
    threads: int | None = None,
    on_progress: Progress | None = None,
) -> Dataset:
    """Write the manifest of a folder or recording to `output`, or where `default_output` says; returns what it holds.

    Raises HarnessError naming the file that cannot enter it, also where a prepared clip is not the one its preparation wrote, or an `output` that is
    no manifest (unless `overwrite`), and TrainingError where it cannot be written.
    """
    place = layout.place_of(target)
    path = output or default_output(place)
    if is_clip_file(path.name) or path.name in (TABLE_NAME, PREPARED_NAME) or _is_beside_clips(path, place):
        raise HarnessError(
            f"{path}: a manifest there would replace a part of a dataset; name a .json of its own",
            cause="manifest_invalid",
        )
    if output:  # the default name is this command's own
        output_file.check([Output(option="--output", path=output, sign=document.SIGN)], overwrite=overwrite)
    dataset, data = _describe(place, threads, on_progress, faithful=True)
    write_atomically(path, data)
    return replace(dataset, path=path)


def snapshot(target: Path, *, threads: int | None = None, on_progress: Progress | None = None) -> Dataset:
    """A folder or recording as it is now, written nowhere; clips that are listed and not there are its `missing`. Raises HarnessError as `create`."""
    return _describe(layout.place_of(target), threads, on_progress, faithful=False)[0]


def read(target: Path, *, threads: int | None = None, on_progress: Progress | None = None) -> Dataset:
    """The dataset of a manifest file, or of a folder, table or recording as it is now; raises HarnessError."""
    if names.is_audio(target.name) or target.name == TABLE_NAME or layout.is_folder(target):
        return snapshot(target, threads=threads, on_progress=on_progress)
    return document.load(target)


def default_output(place: Place) -> Path:
    """`clip_manifest.json` in the folder, or `NAME.clip_manifest.json` beside a recording."""
    return place.root / (f"{place.recording}.{MANIFEST_NAME}" if place.recording else MANIFEST_NAME)


def _is_beside_clips(path: Path, place: Place) -> bool:
    """Whether it may be the text of a clip."""
    named = map(names.folded, text_names(place.recording)) if place.recording else ()
    return (is_text(path.name) or names.folded(path.name) in named) and path.resolve().is_relative_to(
        place.root.resolve()
    )


def _describe(
    place: Place, threads: int | None, on_progress: Progress | None, *, faithful: bool
) -> tuple[Dataset, bytes]:
    prepared = layout.prepared_of(place)
    found = layout.find(place, prepared)
    entries = {item.id: item for item in prepared.items} if prepared else {}
    missing = [] if faithful else _take_missing(found)
    found.require_sound()
    files = {clip.path: found.listing.files[clip.path] for clip in found.clips}
    total = sum(identity.bytes for identity in files.values())
    report = (lambda more: on_progress(more, total)) if on_progress else None
    contents = hashing.read_all(place.root, files, headers=True, threads=threads, on_bytes=report)
    items = tuple(_item(clip, _content(contents[clip.path]), entries.get(clip.id)) for clip in found.clips)
    if faithful:
        _require_prepared(place, items, entries)
    _require_still(place, found)
    try:
        data = document.dumps(place.layout, items, found.unlisted)
    except ValueError as error:
        raise HarnessError(
            f"{names.shown(str(place.root))}: {names.shown(str(error))}; put right what it names, or split the folder",
            cause="manifest_invalid",
        ) from error
    dataset = Dataset(
        layout=place.layout, items=items, unlisted=tuple(found.unlisted), sha256=hashlib.sha256(data).hexdigest(),
        missing=tuple(missing), notes=tuple(found.notes),
    )  # fmt: skip
    return dataset, data


def _take_missing(found: Found) -> list[str]:
    """Take the clips that a table or preparation lists and that are not there out of the problems."""
    missing = [problem for problem in found.problems if problem.clip_id is not None and problem.missing]
    found.problems = [problem for problem in found.problems if problem not in missing]
    return sorted(str(problem.clip_id) for problem in missing)


def _content(content: Content | HarnessError) -> Content:
    if isinstance(content, HarnessError):
        raise content
    return content


def _require_prepared(place: Place, items: tuple[Item, ...], entries: Mapping[str, Item]) -> None:
    for item in items:
        if item.id in entries and entries[item.id].sha256 != item.sha256:
            raise layout.prepared_again(place.root, f"{item.path} has another sha256 than it says")


def _require_still(place: Place, found: Found) -> None:
    """A folder in which anything appeared, went or changed while it was read has no manifest."""
    before, now = found.listing.files, found.look().files
    changed = sorted(path for path in before.keys() | now.keys() if before.get(path) != now.get(path))
    if changed:
        raise HarnessError(
            f"{names.shown(str(place.root / changed[0]))}: changed while the folder was read; leave it alone and run again",
            cause="audio_changed_during_run",
        )


def _item(clip: Clip, content: Content, entry: Item | None) -> Item:
    header = content.header
    assert header is not None, "the clips were hashed with their headers"
    return Item(
        id=clip.id,
        path=clip.path,
        bytes=content.bytes,
        sha256=content.sha256,
        **asdict(header),
        transcript=clip.transcript,
        transcript_sha256=text_sha256(clip.transcript),
        transcript_source=clip.transcript_source,
        split=entry.split if entry else None,
    )
