"""What is different between two datasets, clip by clip.

Clips are the same by id. One whose bytes differ is either `format changed` (another sample rate, channels or encoding: a resampled clip is this, and
not also audio changed) or `audio changed` (the same format, other sound). A clip that is gone while the very same audio stands under another id or
path is `moved`. Texts and splits are compared for every clip that is on both sides, whatever else happened to it. What one side does not record
(`voice_dataset/2` knows no channels) is not compared.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from acceptance.manifests.dataset import Dataset, Item
from trainer.dataset.clip_names import shown

_FORMAT = ("sample_rate", "channels", "format", "subtype")
_BEFORE, _AFTER = 12, 36


class ChangeKind(StrEnum):
    """How a clip differs, in the order in which changes are listed."""

    # Only in the second dataset.
    ADDED = "added"
    # Only in the first.
    REMOVED = "removed"
    # The same audio under another id or path.
    MOVED = "moved"
    # Sample rate, channels or encoding differ.
    FORMAT = "format_changed"
    # Other bytes in the same format.
    AUDIO = "audio_changed"
    # Another text is said to be spoken.
    TRANSCRIPT = "transcript_changed"
    # Trained on in one, held out in the other: scores on the held-out clips of both cannot be set side by side.
    SPLIT = "split_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference of one clip; `before` and `after` hold the fields that differ (all that matter for added and removed)."""

    kind: ChangeKind
    id: str
    """In the second dataset, except for a removed clip."""
    id_before: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetComparison:
    """All differences, by kind and id; `unchanged` counts the clips without any."""

    changes: tuple[Change, ...]
    unchanged: int

    def of(self, kind: ChangeKind) -> list[Change]:
        """The changes of one kind."""
        return [change for change in self.changes if change.kind is kind]


def compare(before: Dataset, after: Dataset) -> DatasetComparison:
    """What happened to the clips between two datasets."""
    old, new = ({item.id: item for item in dataset.items} for dataset in (before, after))
    pairs = [(old[clip_id], new[clip_id]) for clip_id in sorted(old.keys() & new.keys())]
    removed, added, renamed = _renamed(
        [item for key, item in old.items() if key not in new], [item for key, item in new.items() if key not in old]
    )
    changes = [_one_sided(ChangeKind.REMOVED, item) for item in removed]
    changes += [_one_sided(ChangeKind.ADDED, item) for item in added]
    unchanged = 0
    for first, second in [*pairs, *renamed]:
        found = list(_differences(first, second))
        unchanged += not found
        changes += found
    order = list(ChangeKind)
    changes.sort(key=lambda change: (order.index(change.kind), change.id, change.id_before))
    return DatasetComparison(changes=tuple(changes), unchanged=unchanged)


def _renamed(removed: Sequence[Item], added: Sequence[Item]) -> tuple[list[Item], list[Item], list[tuple[Item, Item]]]:
    """Clips only on one side, and pairs of the same audio; of several with that audio the first goes with the first."""
    waiting: defaultdict[str, list[Item]] = defaultdict(list)
    for item in sorted(added, key=lambda item: item.id, reverse=True):
        waiting[item.sha256].append(item)
    left, pairs = [], []
    for item in sorted(removed, key=lambda item: item.id):
        if waiting[item.sha256]:
            pairs.append((item, waiting[item.sha256].pop()))
        else:
            left.append(item)
    return left, [item for items in waiting.values() for item in items], pairs


def _differences(first: Item, second: Item) -> Iterator[Change]:
    sound = first.sha256 != second.sha256
    encoding = _fields(first, second, _FORMAT)
    if encoding:
        changed = _fields(first, second, (*_FORMAT, "path", "duration_s", "sha256"))
        yield _change(ChangeKind.FORMAT, first, second, changed)
    elif sound:
        changed = _fields(first, second, ("path", "bytes", "duration_s", "sha256"))
        yield _change(ChangeKind.AUDIO, first, second, changed)
    elif (first.id, first.path) != (second.id, second.path):
        yield _change(ChangeKind.MOVED, first, second, _fields(first, second, ("id", "path")))
    if first.transcript != second.transcript:
        yield _change(ChangeKind.TRANSCRIPT, first, second, ["transcript"])
    if first.split and second.split and first.split != second.split:
        yield _change(ChangeKind.SPLIT, first, second, ["split"])


def _fields(first: Item, second: Item, names: Sequence[str]) -> list[str]:
    """Which fields differ, of those that both sides record."""
    both = ((name, getattr(first, name), getattr(second, name)) for name in names)
    return [name for name, one, other in both if None not in (one, other) and one != other]


def _change(kind: ChangeKind, first: Item, second: Item, fields: Sequence[str]) -> Change:
    return Change(
        kind=kind,
        id=second.id,
        id_before=first.id,
        before={name: getattr(first, name) for name in fields},
        after={name: getattr(second, name) for name in fields},
    )


def _one_sided(kind: ChangeKind, item: Item) -> Change:
    facts = {name: getattr(item, name) for name in ("path", "duration_s", "sha256", "transcript")}
    before, after = (facts, {}) if kind is ChangeKind.REMOVED else ({}, facts)
    return Change(kind=kind, id=item.id, id_before=item.id, before=before, after=after)


def excerpts(before: str, after: str) -> str:
    """`"…a red car…" -> "…a blue car…"`: both texts around the first character that differs, safe to print."""
    first = next((index for index, (one, other) in enumerate(zip(before, after, strict=False)) if one != other), None)
    start = max(0, (min(len(before), len(after)) if first is None else first) - _BEFORE)
    return f"{_cut(before, start)} -> {_cut(after, start)}"


def _cut(text: str, start: int) -> str:
    end = start + _BEFORE + _AFTER
    return f'"{"…" if start else ""}{shown(text[start:end])}{"…" if end < len(text) else ""}"'
