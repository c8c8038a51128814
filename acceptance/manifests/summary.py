"""What a dataset looks like as a whole: counts, distributions, and the clips that say or sound the same."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from acceptance.manifests.dataset import Item
from trainer.dataset.manifest import distribution


def summarise(items: Sequence[Item]) -> dict[str, Any]:
    """The `summary` of a manifest, from at least one item and nothing else."""
    spoken = [item for item in items if item.transcript]
    words = [len(item.transcript.split()) for item in spoken]
    speed = [count / item.duration_s for count, item in zip(words, spoken, strict=True)]
    return {
        "items": len(items),
        "minutes": round(sum(item.duration_s for item in items) / 60.0, 4),
        "bytes": sum(item.bytes or 0 for item in items),
        "without_transcript": len(items) - len(spoken),
        "distributions": {
            "duration_s": distribution([item.duration_s for item in items]),
            "words": distribution(words) if words else None,
            "words_per_second": distribution(speed) if speed else None,
        },
        "sample_rates": _counts(item.sample_rate for item in items),
        "channels": _counts(item.channels for item in items),
        "formats": _counts(f"{item.format}/{item.subtype}" for item in items),
        "transcript_sources": _counts(item.transcript_source for item in items),
        "splits": _counts(item.split for item in items if item.split),
        "identical_transcripts": [
            {"transcript": text, "ids": ids} for text, ids in _groups((item.transcript, item.id) for item in spoken)
        ],
        "identical_audio": [
            {"sha256": digest, "ids": ids} for digest, ids in _groups((item.sha256, item.id) for item in items)
        ],
    }


def _counts(values: Iterable[Any]) -> dict[str, int]:
    return dict(sorted(Counter(str(value) for value in values).items()))


def _groups(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    """Ids that share a value, the largest group first."""
    ids: defaultdict[str, list[str]] = defaultdict(list)
    for value, clip_id in pairs:
        ids[value].append(clip_id)
    shared = ((value, sorted(group)) for value, group in ids.items() if len(group) > 1)
    return sorted(shared, key=lambda entry: (-len(entry[1]), entry[1]))
