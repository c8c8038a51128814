"""A short sound file in memory, decoded within a bound: a few bytes of FLAC can unpack to gigabytes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile
from soundfile import SoundFile

from trainer.audio import container_format
from trainer.files.byte_source import MemoryBytes, View

_BLOCK_SAMPLES = 2**20
"""Decoded at once, over all channels: 4 MiB."""
_UNKNOWN_FRAMES = 2**62
"""A stream whose header says no length announces about 2**63 frames."""


class ClipError(Exception):
    """No sound can be had from the bytes; `cause` is empty, undecodable, too_long, or a cause of `container_format` without `audio_`."""

    def __init__(self, cause: str, detail: str = "") -> None:
        super().__init__(detail or cause)
        self.cause = cause


@contextmanager
def opened(data: bytes) -> Iterator[SoundFile]:
    """The file that `data` holds, to be read with `blocks`; raises ClipError, also for damage that reading finds."""
    found = container_format.layout(MemoryBytes(data))
    if found.problem:
        raise ClipError(found.cause.removeprefix("audio_"), found.problem)
    try:
        with SoundFile(View(MemoryBytes(data), found.end, found.patches)) as file:
            yield file
    except (soundfile.LibsndfileError, RuntimeError, ValueError) as error:
        detail = getattr(error, "error_string", str(error)).rstrip(".")
        raise ClipError("undecodable" if data else "empty", detail) from error


def blocks(file: SoundFile, most_frames: int) -> Iterator[np.ndarray]:
    """All samples in order, as (frames, channels) float32; raises ClipError(too_long | empty), before decoding if the header tells."""
    if most_frames < file.frames < _UNKNOWN_FRAMES:
        raise ClipError("too_long")
    frames = 0
    while len(block := file.read(max(_BLOCK_SAMPLES // file.channels, 1), dtype="float32", always_2d=True)):
        frames += len(block)
        if frames > most_frames:
            raise ClipError("too_long")
        yield block
    if not frames:
        raise ClipError("empty")


def seconds(path: Path) -> float:
    """How long a file is by its header; 0 if that cannot be read."""
    try:
        found = soundfile.info(path)
    except (soundfile.LibsndfileError, RuntimeError, OSError, ValueError):
        return 0.0
    return found.frames / found.samplerate if found.samplerate else 0.0
