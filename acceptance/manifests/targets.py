"""What a person means by a path: a manifest, a folder with one, a folder of clips, or a recording."""

from __future__ import annotations

from pathlib import Path

from acceptance.failure import HarnessError
from acceptance.manifests import document
from acceptance.manifests.creation import MANIFEST_NAME, Progress, snapshot
from acceptance.manifests.dataset import Dataset
from trainer.dataset import clip_names as names
from trainer.dataset.clip_folder import TABLE_NAME
from trainer.dataset.clip_names import is_audio
from trainer.dataset.manifest import FILE_NAME as PREPARED_NAME


def read(target: Path, *, threads: int | None = None, on_progress: Progress | None = None) -> Dataset:
    """The dataset of a manifest file, or of a folder, table or recording as it is now; raises HarnessError."""
    if is_audio(target.name) or target.name == TABLE_NAME or _is_folder(target):
        return snapshot(target, threads=threads, on_progress=on_progress)
    return document.load(target)


def manifest_in(target: Path) -> Path:
    """The manifest that a path names: itself, the one in a folder (`create`'s goes first), or the one beside a recording."""
    if is_audio(target.name):
        return target.with_name(f"{target.name}.{MANIFEST_NAME}")
    if not _is_folder(target):
        return target
    for name in (MANIFEST_NAME, PREPARED_NAME):
        if (target / name).exists():
            return target / name
    raise HarnessError(
        f"{names.shown(str(target))}: no manifest is there; make one: voice manifest create DIR",
        cause="manifest_invalid",
    )


def _is_folder(target: Path) -> bool:
    try:
        return target.is_dir()
    except OSError as error:
        raise HarnessError(
            f"{names.shown(str(target))}: {error.strerror}; name a path that this user can read",
            cause="audio_unreadable",
        ) from error
