"""Audio written while it is made: files that appear whole or not at all, and a pipe."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import struct
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np
import soundfile

from trainer.errors import DataError, TrainingError
from trainer.files import output_file
from trainer.files.atomic_file import replacing, unwritable

FORMATS = {".wav": "WAV", ".flac": "FLAC"}
_UNKNOWN_LENGTH = 0xFFFF_FFFF
_MOST_WAV_BYTES = 2**32 - 2**16


class AudioFile:
    """A mono 16-bit WAV or FLAC file under construction, beside its final place; `with` finishes it, an exception removes it.

    Raises DataError(output_format) for another ending, TrainingError(output_not_writable | disk_full) before the first sample where the
    place cannot be written.
    """

    def __init__(self, path: Path, *, sample_rate: int) -> None:
        self._format = _format(path)
        if path.is_dir():
            raise unwritable(path, OSError(errno.EISDIR, os.strerror(errno.EISDIR)))
        self.path = path
        self.samples = 0
        try:
            # os.open names the reason for a refusal; libsndfile does not.
            self._place = replacing(path)
            self._stream = self._place.__enter__()
        except OSError as error:
            raise unwritable(path, error) from error
        # libsndfile closes the descriptor that it was given before the file has its name.
        self._file = soundfile.SoundFile(
            os.dup(self._stream.fileno()), "w", sample_rate, 1, format=self._format, subtype="PCM_16"
        )

    def write(self, wave: np.ndarray) -> None:
        """Append (n,) float samples; raises TrainingError(output_not_writable | disk_full | output_too_long)."""
        self.samples += len(wave)
        if self._format == "WAV" and 2 * self.samples > _MOST_WAV_BYTES:
            raise TrainingError(f"{self.path}: a WAV file cannot hold more; write FLAC", cause="output_too_long")
        try:
            self._file.write(pcm16(wave))
        except (soundfile.SoundFileError, AssertionError, OSError) as error:
            raise self._failed() from error

    def __enter__(self) -> AudioFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with contextlib.suppress(soundfile.SoundFileError, OSError):
                self._file.close()
            if error is None:
                self._require_whole()
        except BaseException as failure:
            error = failure
            raise
        finally:
            try:
                self._place.__exit__(type(error) if error else None, error, error.__traceback__ if error else None)
            except OSError as failure:
                raise unwritable(self.path, failure) from failure

    def _require_whole(self) -> None:
        # What libsndfile could not write at its end it does not say.
        self._stream.seek(0)
        try:
            found = soundfile.info(self._stream).frames
        except (soundfile.SoundFileError, OSError) as error:
            raise self._failed() from error
        if found != self.samples:
            raise self._failed()

    def _failed(self) -> TrainingError:
        """What probably kept libsndfile, which tells no reason, from writing."""
        free = os.statvfs(self.path.parent).f_bavail * os.statvfs(self.path.parent).f_frsize
        code = errno.ENOSPC if free < 2**20 else errno.EIO
        return unwritable(self.path, OSError(code, os.strerror(code)))


def check_place(path: Path) -> None:
    """Raises as `AudioFile` where `path` could not be written now; leaves nothing there."""
    _format(path)
    output_file.check_writable(path)


class PcmPipe:
    """16-bit mono samples into a stream that cannot seek: raw little-endian, or behind a WAV header of unknown length."""

    def __init__(self, stream: BinaryIO, *, sample_rate: int, raw: bool) -> None:
        self._stream = stream
        self.samples = 0
        if not raw:
            stream.write(streaming_header(sample_rate))

    def write(self, wave: np.ndarray) -> None:
        """Append (n,) float samples and pass them on at once; raises OSError."""
        self.samples += len(wave)
        self._stream.write(pcm16(wave).astype("<i2").tobytes())
        self._stream.flush()


def _format(path: Path) -> str:
    if path.suffix.lower() not in FORMATS:
        raise DataError(f"{path}: the name must end in {' or '.join(FORMATS)}", cause="output_format")
    return FORMATS[path.suffix.lower()]


def flac(samples: np.ndarray, sample_rate: int, *, bits: int = 16) -> bytes:
    """A mono FLAC file of (n,) samples: int16, or floats within -1..1; with 24 `bits` hardly anything of floats is lost."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, sample_rate, format="FLAC", subtype=f"PCM_{bits}")
    return buffer.getvalue()


def pcm16(wave: np.ndarray) -> np.ndarray:
    """(n,) float samples within -1..1 -> int16, as the clips of a dataset."""
    return np.round(np.clip(wave, -1.0, 1.0) * 32_767.0).astype(np.int16)


def streaming_header(sample_rate: int) -> bytes:
    """A WAV header for mono 16-bit samples that end when the stream ends."""
    form = struct.pack("<HHIIHH", 1, 1, sample_rate, 2 * sample_rate, 2, 16)
    return (
        struct.pack("<4sI4s4sI", b"RIFF", _UNKNOWN_LENGTH, b"WAVE", b"fmt ", len(form))
        + form
        + struct.pack("<4sI", b"data", _UNKNOWN_LENGTH)
    )
