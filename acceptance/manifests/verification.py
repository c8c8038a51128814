"""Whether a folder still holds what a manifest says: every file hashed again, every text read again."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from acceptance.failure import HarnessError
from acceptance.manifests import document, hashing, layout
from acceptance.manifests.comparison import excerpts
from acceptance.manifests.creation import Progress
from acceptance.manifests.dataset import Dataset, Item, Layout
from acceptance.manifests.hashing import Content
from acceptance.manifests.layout import Place
from trainer.dataset import clip_names as names
from trainer.dataset.clip_folder import TABLE_NAME, Found
from trainer.dataset.manifest import FILE_NAME as PREPARED_NAME
from trainer.preparation.transcripts import text_names

_ELSEWHERE = 0.9
"""Where such a share of the clips is missing, the manifest lies elsewhere."""
_DEPTH, _MOST_FOLDERS = 6, 2_000
"""So far the folder of the clips is looked for."""


class FaultKind(StrEnum):
    """What is wrong with one file or text."""

    # Listed, and not there.
    MISSING = "missing"
    # Other bytes than listed.
    AUDIO = "audio_changed"
    # Another text, or none, or one where there was none.
    TRANSCRIPT = "transcript_changed"
    # There, and not listed.
    EXTRA = "extra"
    # There, and not to be read: a link, a special file, no permission, a name that is none elsewhere.
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One file that is not as listed."""

    kind: FaultKind
    path: str
    detail: str = ""


def verify(
    dataset: Dataset, root: Path, *, threads: int | None = None, on_progress: Progress | None = None
) -> tuple[Fault, ...]:
    """Everything in `root` that is not what the dataset says, by path; empty where all holds. Raises HarnessError where nothing can be said."""
    check = _Check(dataset=dataset, found=_found(dataset, root))
    files = {item.path: check.files[item.path] for item in dataset.items if item.path in check.files}
    total = sum(identity.bytes for identity in files.values())
    report = (lambda more: on_progress(more, total)) if on_progress else None
    contents = hashing.read_all(root, files, headers=False, threads=threads, on_bytes=report)
    faults = [fault for item in dataset.items for fault in check.item(item, contents.get(item.path))]
    faults += [*check.others(), *check.extra(), *_preparation(dataset, root)]
    return tuple(sorted(set(faults), key=lambda fault: (fault.path, fault.kind, fault.detail)))


def require_place(dataset: Dataset, faults: Sequence[Fault]) -> None:
    """Raises HarnessError(audio_missing) where (nearly) no clip lies beside the manifest: then its folder is another one.

    The message holds the command for the folder below the manifest that has the clips, if there is one.
    """
    missing = sum(fault.kind is FaultKind.MISSING for fault in faults)
    if missing >= _ELSEWHERE * len(dataset.items):
        place = _folder_below(dataset)
        step = f"they lie in {place}: " if place else "where they lie in another folder, name it: "
        command = shlex.join(["voice", "manifest", "verify", str(dataset.place), "--root", str(place or "DIR")])
        raise HarnessError(
            f"{names.shown(str(dataset.place))}: {missing} of its {len(dataset.items)} clips are not under {names.shown(str(dataset.place.parent))}; "
            f"{names.shown(step + command)}", cause="audio_missing",
        )  # fmt: skip


def _folder_below(dataset: Dataset) -> Path | None:
    """The first folder near the manifest that has its first and its last clip."""
    wanted = [dataset.items[0].path, dataset.items[-1].path]
    for looked, (folder, below, _) in enumerate(os.walk(dataset.place.parent)):
        place = Path(folder)
        if all((place / path).is_file() for path in wanted):
            return place
        deep = len(place.relative_to(dataset.place.parent).parts) >= _DEPTH
        below[:] = [] if deep or looked > _MOST_FOLDERS else sorted(name for name in below if not name.startswith("."))
    return None


def _found(dataset: Dataset, root: Path) -> Found:
    if dataset.layout is Layout.PREPARED:  # a damaged preparation's manifest is a fault, not the end of the check
        return layout.find(Place(layout=dataset.layout, root=root), prepared=dataset)
    recording = dataset.items[0].path if dataset.layout is Layout.RECORDING else ""
    return layout.find(Place(layout=dataset.layout, root=root, recording=recording), None)


class _Check:
    """The manifest beside what was found."""

    def __init__(self, *, dataset: Dataset, found: Found) -> None:
        self.files = found.listing.files
        self._dataset = dataset
        self._found = found
        self._items = {item.path for item in dataset.items}
        self._ids = {item.id for item in dataset.items}
        self._clips = {clip.id: clip for clip in found.clips}
        self._refused = {problem.path: problem.error for problem in found.problems if problem.clip_id is None}

    def item(self, item: Item, content: Content | HarnessError | None) -> Iterator[Fault]:
        """What is wrong with a listed clip and its text."""
        refusal = content if isinstance(content, HarnessError) else self._refused.get(item.path)
        if refusal is not None:
            yield Fault(kind=FaultKind.REFUSED, path=item.path, detail=str(refusal))
        elif content is None or isinstance(content, HarnessError):
            yield Fault(kind=FaultKind.MISSING, path=item.path)
        else:
            if content.sha256 != item.sha256:
                detail = f"sha256 {item.sha256[:12]} -> {content.sha256[:12]}, {content.bytes} bytes"
                yield Fault(kind=FaultKind.AUDIO, path=item.path, detail=detail)
            yield from self._text(item)

    def _text(self, item: Item) -> Iterator[Fault]:
        if not self._refused.keys().isdisjoint((TABLE_NAME, *text_names(item.path))):
            return  # named for itself
        clip = self._clips.get(item.id)
        if clip is None:
            yield Fault(kind=FaultKind.TRANSCRIPT, path=item.path, detail=f"{TABLE_NAME} has no row for {item.id}")
        elif clip.transcript != item.transcript:
            yield Fault(kind=FaultKind.TRANSCRIPT, path=item.path, detail=excerpts(item.transcript, clip.transcript))

    def others(self) -> Iterator[Fault]:
        """Files that cannot be read and belong to no listed clip, and rows of a table without audio."""
        for problem in self._found.problems:
            if problem.path not in self._items and problem.clip_id not in self._ids:
                yield Fault(kind=FaultKind.REFUSED, path=problem.path, detail=str(problem.error))

    def extra(self) -> Iterator[Fault]:
        """Audio and rows that the manifest does not know; a preparation does not record what it leaves beside its clips."""
        if self._dataset.unlisted is None:
            return
        known = self._items.union(self._dataset.unlisted, self._refused)
        new_rows = {clip.path for clip in self._found.clips if clip.id not in self._ids}
        for path in sorted((set(self._found.listing.audio) - known) | new_rows - self._items):
            yield Fault(kind=FaultKind.EXTRA, path=path)


def _preparation(dataset: Dataset, root: Path) -> Iterator[Fault]:
    """What a preparation's own manifest now says otherwise than the `clip_manifest/1` that was made from it."""
    if dataset.layout is not Layout.PREPARED or dataset.unlisted is None:
        return
    try:
        now = {item.id: item for item in document.load_prepared(root / PREPARED_NAME).items}
    except HarnessError as error:
        yield Fault(kind=FaultKind.REFUSED, path=PREPARED_NAME, detail=str(error))
        return
    for item in dataset.items:
        entry = now.pop(item.id, None)
        if entry is None or (entry.path, entry.sha256, entry.split) != (item.path, item.sha256, item.split):
            yield Fault(kind=FaultKind.REFUSED, path=PREPARED_NAME, detail=f"lists {item.id} otherwise or not at all")
        elif entry.transcript != item.transcript:
            yield Fault(kind=FaultKind.TRANSCRIPT, path=item.path, detail=excerpts(item.transcript, entry.transcript))
    for clip_id in now:
        yield Fault(kind=FaultKind.EXTRA, path=PREPARED_NAME, detail=f"lists {clip_id}, which is new")
