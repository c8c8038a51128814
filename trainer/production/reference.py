"""The speaker's real clips as speaker vectors: what every shard needs of them, without the clips themselves.

A plan knows them by the clips and the encoder, not by the vectors: processors of another kind give a vector other last digits (at most some
1e-7, below what a row keeps), and no rounding helps, because a number near the edge of a step falls to either side.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trainer.errors import DataError
from trainer.files import json_lines, plain_file, strict_json, typed_json
from trainer.files.atomic_file import write_atomically
from trainer.files.plain_file import PlainFileError
from trainer.production import layout

if TYPE_CHECKING:
    from trainer.evaluation.similarity import Reference

_MAX_BYTES = 2**28
_LENGTH_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceVector:
    """One real clip, as the file has it."""

    id: str
    audio_sha256: str
    vector: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceVectors:
    """All of them, and the encoder that made their vectors."""

    metric: str
    speaker_encoder: str
    clips: tuple[ReferenceVector, ...]
    vectors_sha256: str
    """Of the vectors as they were written: the plan does not know them."""

    @property
    def sha256(self) -> str:
        """What a plan knows them by."""
        return digest({clip.id: clip.audio_sha256 for clip in self.clips}, speaker_encoder=self.speaker_encoder)

    def references(self) -> list[Reference]:
        """As judging compares with them."""
        # PyTorch comes with it.
        import numpy as np

        from trainer.evaluation.similarity import Reference

        return [
            Reference(id=clip.id, audio_sha256=clip.audio_sha256, vector=np.array(clip.vector, np.float32))
            for clip in self.clips
        ]


def digest(clips: Mapping[str, str], *, speaker_encoder: str) -> str:
    """What a plan knows real clips by: their names, the sha256 of each, and that of the encoder."""
    said = {"clips": [[name, clips[name]] for name in sorted(clips)], "speaker_encoder": speaker_encoder}
    return hashlib.sha256(json_lines.line(said)).hexdigest()


def write(batch: Path, references: Sequence[Reference], *, metric: str, speaker_encoder: str) -> None:
    """Write reference.json; raises TrainingError(disk_full | output_not_writable)."""
    clips = tuple(
        ReferenceVector(id=one.id, audio_sha256=one.audio_sha256, vector=tuple(float(value) for value in one.vector))
        for one in references
    )
    write_atomically(batch / layout.REFERENCE, dumps(clips, metric=metric, speaker_encoder=speaker_encoder))


def dumps(clips: tuple[ReferenceVector, ...], *, metric: str, speaker_encoder: str) -> bytes:
    """The bytes of reference.json."""
    found = ReferenceVectors(
        metric=metric, speaker_encoder=speaker_encoder, clips=clips, vectors_sha256=_vectors_sha256(clips)
    )
    return json_lines.line(asdict(found))


def loads(data: bytes) -> ReferenceVectors:
    """What reference.json says; raises ValueError for anything but what `dumps` gives."""
    found: ReferenceVectors = typed_json.build(ReferenceVectors, json_lines.parsed(data))
    _check(found)
    if json_lines.line(asdict(found)) != data:
        raise ValueError("not the canonical bytes of a reference")
    return found


def read(batch: Path) -> ReferenceVectors:
    """The vectors of a batch; raises DataError(plan_changed)."""
    path = batch / layout.REFERENCE
    try:
        return loads(plain_file.read(path, limit=_MAX_BYTES))
    except (PlainFileError, ValueError) as error:
        raise DataError(
            f"{path}: {error}; put back the file that the plan was made with, or make the batch again in an empty folder",
            cause="plan_changed",
        ) from error


def _check(found: ReferenceVectors) -> None:
    if not found.clips:
        raise ValueError("no clip to compare with")
    if len({clip.id for clip in found.clips}) != len(found.clips):
        raise ValueError("a clip comes twice")
    sizes = {len(clip.vector) for clip in found.clips}
    if len(sizes) != 1:
        raise ValueError("vectors of several lengths")
    for clip in found.clips:
        if not abs(math.hypot(*clip.vector) - 1.0) <= _LENGTH_TOLERANCE:
            raise ValueError(f"the vector of {clip.id!r} has not length 1")
    if _vectors_sha256(found.clips) != found.vectors_sha256:
        raise ValueError("its vectors are not those that were written")


def _vectors_sha256(clips: tuple[ReferenceVector, ...]) -> str:
    return hashlib.sha256(strict_json.canonical([clip.vector for clip in clips]).encode()).hexdigest()
