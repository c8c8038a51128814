"""Which voice spoke the clips of a folder: a record beside them, so that their scores are those of the right checkpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from trainer import plain_file, strict_json, typed_json
from trainer.atomic_file import write_atomically
from trainer.errors import DataError
from trainer.plain_file import PlainFileError

NAME = "spoken.json"
SCHEMA = "spoken/1"
_MAX_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """One clip as it was written, and the checkpoint of the voice (of an exported one: that it was exported from)."""

    sha256: str
    checkpoint_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Clips by file name."""

    schema: str
    clips: Mapping[str, Spoken]


def add(folder: Path, names: Sequence[str], *, checkpoint_sha256: str) -> None:
    """Record that these files of `folder` were just spoken; what is recorded of others stays. Raises DataError and TrainingError."""
    new = {name: Spoken(sha256=plain_file.sha256(folder / name), checkpoint_sha256=checkpoint_sha256) for name in names}
    clips = {**_read(folder), **new}
    document = asdict(Record(schema=SCHEMA, clips=clips))
    write_atomically(folder / NAME, (json.dumps(document, sort_keys=True, indent=1) + "\n").encode())


def checkpoint_of(paths: Sequence[Path]) -> str | None:
    """The checkpoint whose voice spoke all these clips; None where nothing is recorded beside them.

    Raises DataError(artifact_mismatch) for clips of several voices, or that are not what was spoken.
    """
    found: dict[str, Path] = {}
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
            found.setdefault(known.checkpoint_sha256, path)
    if len(found) > 1:
        first, second = sorted(found.values())[:2]
        raise DataError(f"{first} and {second} were spoken by two voices; give every voice a folder of its own", cause="artifact_mismatch")
    return next(iter(found), None)


def _is_still(path: Path, sha256: str) -> bool:
    try:
        return plain_file.sha256(path) == sha256
    except PlainFileError:
        return False


def _read(folder: Path) -> Mapping[str, Spoken]:
    path = folder / NAME
    try:
        record = typed_json.build(Record, strict_json.loads(plain_file.read(path, limit=_MAX_BYTES)))
    except PlainFileError as error:
        if error.cause == "missing":
            return {}
        raise DataError(f"{path}: {error}; remove it, or speak again into an empty folder", cause="artifact_mismatch") from error
    except ValueError as error:
        raise DataError(f"{path}: {error}; remove it, or speak again into an empty folder", cause="artifact_mismatch") from error
    if record.schema != SCHEMA:
        raise DataError(f"{path}: its schema is not {SCHEMA!r}; speak again into an empty folder", cause="artifact_mismatch")
    return record.clips
