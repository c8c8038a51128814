"""The sounds of a folder, whatever else lies there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from trainer.audio import recording
from trainer.errors import DataError

_SUFFIXES = (".wav", ".flac")


def of_folder(folder: Path, *, longest_s: float) -> Iterator[tuple[Path, np.ndarray, int]]:
    """Path, (n,) float32 samples and rate of every WAV and FLAC file of at most `longest_s` that can be decoded; skips the others."""
    for path in sorted(folder.glob("*")):
        if path.suffix.lower() in _SUFFIXES:
            with contextlib.suppress(DataError):
                if not _is_longer(path, longest_s):
                    yield path, *recording.read(path)


def _is_longer(path: Path, seconds: float) -> bool:
    """Whether a sound goes on after so many seconds, whatever its header says: a small file may hold hours of silence."""
    found, frames = recording.inspect(path), 0
    for block in recording.blocks(found):
        frames += len(block)
        if frames > seconds * found.sample_rate:
            return True
    return False
