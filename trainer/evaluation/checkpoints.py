"""What the checkpoint of an evaluated voice says of itself: the dataset that it was trained on, and the licence that it is under."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """The licence of weights that a voice was made from, by name, and whether what was made may be promoted."""

    name: str
    promotable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """`manifest_sha256` is None where it does not say its dataset, `licence` where it is under the project's own."""

    sha256: str
    """Of the very bytes that were read."""
    manifest_sha256: str | None
    licence: Licence | None


def read(path: Path) -> Checkpoint:
    """What is in the file; raises DataError(checkpoint_missing | checkpoint_invalid | checkpoint_unsafe)."""
    from trainer.files import checkpoint  # imports torch, which whoever only reads the history never needs

    try:
        document, sha256 = checkpoint.read_with_sha256(path)
    except checkpoint.CheckpointError as error:
        cause = {"missing": "checkpoint_missing", "unsafe_pickle": "checkpoint_unsafe"}.get(
            error.cause, "checkpoint_invalid"
        )
        raise DataError(
            f"{path} is no checkpoint of a voice: {error}; give the file that the training wrote", cause=cause
        ) from error
    return Checkpoint(sha256=sha256, manifest_sha256=_dataset(document), licence=licence(document))


def licence(document: Mapping[str, Any]) -> Licence | None:
    """The licence record of a checkpoint, or of the status of its training; one that does not allow promotion in so many words forbids it."""
    record = document.get("licence")
    if record is None:
        return None
    name = record.get("spdx") if isinstance(record, Mapping) else record
    return Licence(name=str(name)[:80], promotable=isinstance(record, Mapping) and record.get("promotable") is True)


def check_trained_on(path: Path, found: Checkpoint, manifest_sha256: str | None) -> None:
    """Raises DataError(artifact_mismatch) for a checkpoint that names another dataset; no manifest is no claim."""
    if manifest_sha256 and found.manifest_sha256 not in (None, manifest_sha256):
        raise DataError(
            f"{path} was trained on another dataset than the manifest's (sha256 {found.manifest_sha256[:12]}, not {manifest_sha256[:12]}), of "
            "which it may have heard the held-out clips; give the manifest that it was trained on, with --reference DIR for other clips",
            cause="artifact_mismatch",
        )


def _dataset(document: Mapping[str, Any]) -> str | None:
    training = document.get("training")
    found = training.get("manifest_sha256") if isinstance(training, Mapping) else None
    return found if isinstance(found, str) else None
