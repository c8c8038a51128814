"""The speaker's real clips as speaker vectors: what every shard needs of them, without the clips themselves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trainer.errors import DataError
from trainer.evaluation.evaluate import Reference
from trainer.files import json_lines, plain_file, typed_json
from trainer.files.atomic_file import write_atomically
from trainer.files.plain_file import PlainFileError
from trainer.production import layout

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

    def references(self) -> list[Reference]:
        """As judging compares with them."""
        return [
            Reference(id=clip.id, audio_sha256=clip.audio_sha256, vector=np.array(clip.vector, np.float32))
            for clip in self.clips
        ]


def write(batch: Path, references: Sequence[Reference], *, metric: str, speaker_encoder: str) -> None:
    """Write reference.json; raises TrainingError(disk_full | output_not_writable)."""
    document = {
        "metric": metric,
        "speaker_encoder": speaker_encoder,
        "clips": [
            {"id": one.id, "audio_sha256": one.audio_sha256, "vector": [float(value) for value in one.vector]}
            for one in references
        ],
    }
    write_atomically(batch / layout.REFERENCE, json_lines.line(document))


def read(batch: Path) -> ReferenceVectors:
    """The vectors of a batch; raises DataError(plan_invalid)."""
    path = batch / layout.REFERENCE
    try:
        found: ReferenceVectors = typed_json.build(
            ReferenceVectors, json_lines.parsed(plain_file.read(path, limit=_MAX_BYTES))
        )
        _check(found)
    except (PlainFileError, ValueError) as error:
        raise DataError(f"{path}: {error}; make the batch again in an empty folder", cause="plan_invalid") from error
    return found


def _check(found: ReferenceVectors) -> None:
    if not found.clips:
        raise ValueError("no clip to compare with")
    sizes = {len(clip.vector) for clip in found.clips}
    if len(sizes) != 1:
        raise ValueError("vectors of several lengths")
    for clip in found.clips:
        if abs(math.hypot(*clip.vector) - 1.0) > _LENGTH_TOLERANCE:
            raise ValueError(f"the vector of {clip.id!r} has not length 1")
