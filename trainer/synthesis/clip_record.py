"""Which voice spoke the clips of a folder, and how: a record beside them, so that their scores are those of the right checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from trainer.errors import DataError
from trainer.files import plain_file, strict_json, typed_json
from trainer.files.atomic_file import write_atomically
from trainer.files.plain_file import PlainFileError
from trainer.models.natural.speak import AFTER_S, BEFORE_S
from trainer.synthesis.delivery import Delivery, differences

NAME = "spoken.json"
SCHEMA, _EARLIER = "spoken/2", "spoken/1"
"""The earlier one does not say how a clip was spoken."""
_MAX_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """One clip as it was written, and the checkpoint of the voice (of an exported one: that it was exported from)."""

    sha256: str
    checkpoint_sha256: str
    speaking: Mapping[str, float] | None
    """The settings that it was spoken with, by name (`speaking`); None if nobody wrote them down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Clips by file name."""

    schema: str
    clips: Mapping[str, Spoken]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What is recorded of all clips of a folder together."""

    checkpoint_sha256: str
    speaking: Mapping[str, float] | None


def speaking(delivery: Delivery) -> dict[str, float]:
    """How a clip is spoken: every setting of the delivery, and the seconds of room around it; raises ValueError for an open sample rate."""
    if delivery.sample_rate is None:
        raise ValueError("a clip has a sample rate: record the one that it was written with")
    return asdict(delivery) | {"room_before_s": BEFORE_S, "room_after_s": AFTER_S}


def add(folder: Path, names: Sequence[str], *, checkpoint_sha256: str, delivery: Delivery) -> None:
    """Record that these files of `folder` were just spoken; what is recorded of others stays. Raises DataError and TrainingError."""
    how = speaking(delivery)
    new = {
        name: Spoken(sha256=plain_file.sha256(folder / name), checkpoint_sha256=checkpoint_sha256, speaking=how)
        for name in names
    }
    clips = {**_read(folder), **new}
    document = asdict(Record(schema=SCHEMA, clips=clips))
    write_atomically(folder / NAME, strict_json.readable(document, indent=1, ascii_only=True))


def origin_of(paths: Sequence[Path]) -> Origin | None:
    """The checkpoint that spoke all these clips, and its settings; None if nothing is recorded beside them.

    Raises DataError(artifact_mismatch) for clips of several voices or with different settings, or that are not what was spoken.
    """
    found: list[tuple[Path, Spoken]] = []
    for folder in sorted({path.parent for path in paths}):
        clips = _read(folder)
        if not clips:
            return None
        for path in (path for path in paths if path.parent == folder):
            known = clips.get(path.name)
            if known is None or not _is_still(path, known.sha256):
                raise DataError(
                    f"{path} is not what {folder / NAME} says was spoken; speak again into an empty folder, or remove {NAME} to judge it unseen",
                    cause="artifact_mismatch",
                )
            found.append((path, known))
    if not found:
        return None
    first, one = found[0]
    for second, other in found[1:]:
        if other.checkpoint_sha256 != one.checkpoint_sha256:
            raise DataError(
                f"{first} and {second} were spoken by two voices; give every voice a folder of its own",
                cause="artifact_mismatch",
            )
        if other.speaking != one.speaking:
            raise DataError(
                f"{first} and {second} were spoken differently ({differences(one.speaking, other.speaking)}); speak all clips again with equal "
                "settings, into an empty folder", cause="artifact_mismatch",
            )  # fmt: skip
    return Origin(checkpoint_sha256=one.checkpoint_sha256, speaking=one.speaking)


def _is_still(path: Path, sha256: str) -> bool:
    try:
        return plain_file.sha256(path) == sha256
    except PlainFileError:
        return False


def _read(folder: Path) -> Mapping[str, Spoken]:
    path = folder / NAME
    try:
        record = typed_json.build(Record, _with_settings(strict_json.loads(plain_file.read(path, limit=_MAX_BYTES))))
    except (PlainFileError, ValueError) as error:
        if getattr(error, "cause", "") == "missing":
            return {}
        raise DataError(
            f"{path}: {error}; remove it, or speak again into an empty folder", cause="artifact_mismatch"
        ) from error
    if record.schema != SCHEMA:
        raise DataError(
            f"{path}: its schema is not {SCHEMA!r}; speak again into an empty folder", cause="artifact_mismatch"
        )
    return record.clips


def _with_settings(document: Any) -> Any:
    """An earlier record as one of today that knows no settings; anything else as it is."""
    clips = document.get("clips") if isinstance(document, dict) and document.get("schema") == _EARLIER else None
    if not isinstance(clips, dict) or not all(isinstance(clip, dict) for clip in clips.values()):
        return document
    return {"schema": SCHEMA, "clips": {name: {"speaking": None, **clip} for name, clip in clips.items()}}
