"""The sounds of a folder, whatever else lies there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from trainer.audio import recording
from trainer.errors import DataError

_SUFFIXES = (".wav", ".flac")


def of_folder(folder: Path) -> Iterator[tuple[Path, np.ndarray, int]]:
    """Path, (n,) float32 samples and rate of every WAV and FLAC file that can be decoded; skips the others."""
    for path in sorted(folder.glob("*")):
        if path.suffix.lower() in _SUFFIXES:
            with contextlib.suppress(DataError):
                yield path, *recording.read(path)
