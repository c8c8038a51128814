"""One audio file opened for reading: what it announces is checked first, then it is decoded forwards to its end.

Whatever libsndfile reads is accepted (FLAC, WAV, OGG, MP3, ...), if a cut copy of it can be told from a whole one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from trainer.audio import container_format
from trainer.errors import DataError
from trainer.files.byte_source import FileBytes, View

FLOATING = ("FLOAT", "DOUBLE")
"""Subtypes of floating-point samples, which may pass full scale."""
UNKNOWN_FRAMES = 2**62  # libsndfile announces SF_COUNT_MAX where the format does not tell
_MP3_SLACK = 2 * 1152  # what decoders leave out at both ends; that all bytes are there is known before
_TRAILER_BYTES = 65_536  # junk behind the last frame; more than this is audio that the header hides


class _ForwardReader(soundfile.SoundFile):
    """Decodes without the seek that soundfile makes after every read (it hides damage and fails on streamed FLAC)."""

    def seekable(self) -> bool:
        return False


class SoundFile:
    """An open audio file. `frames` is 0 where the header does not tell."""

    def __init__(self, path: Path, descriptor: int) -> None:
        """Raises DataError: audio_truncated, audio_undecodable."""
        self.path = path
        self._descriptor = descriptor
        self._bytes = FileBytes(descriptor)
        self._layout = container_format.layout(self._bytes)
        if self._layout.problem:
            raise DataError(f"{path}: {self._layout.problem}", cause=self._layout.cause)
        whole = not self._layout.patches and self._layout.end == self._bytes.size
        self._view = None if whole else View(self._bytes, self._layout.end, self._layout.patches)
        self._reader = self._opened()
        self.format, self.subtype = self._reader.format, self._reader.subtype
        self.sample_rate, self.channels = self._reader.samplerate, self._reader.channels
        guessed = self._reader.frames if self._reader.frames < UNKNOWN_FRAMES else 0
        counted = self._layout.samples if self.format == "MP3" else 0
        self.frames = counted or guessed
        if self.format in container_format.UNCHECKED:
            raise DataError(
                f"{path}: a cut {self.format} file cannot be told from a whole one; convert it to FLAC or WAV",
                cause="audio_undecodable",
            )
        if guessed + _MP3_SLACK < counted:
            raise DataError(
                f"{path}: an MP3 of variable rate without an index, of whose {counted} samples the decoder would read {guessed}; "
                "convert it to FLAC",
                cause="audio_undecodable",
            )
        if self._reader.frames == 0:
            raise DataError(
                f"{path}: holds no sample; record or export it again, or remove it", cause="audio_undecodable"
            )

    @property
    def floating(self) -> bool:
        """Whether its samples are floating-point numbers."""
        return self.subtype in FLOATING

    def blocks(self, block_frames: int) -> Iterator[np.ndarray]:
        """Yield all samples in order, as (frames, channels) float32, full scale 1.0.

        Raises DataError: audio_truncated when the data ends early, audio_undecodable when it is damaged or holds NaN or infinite samples.
        """
        decoded = 0
        while True:
            # Never past the announced end: the FLAC decoder would take what is behind it for damage.
            wanted = min(block_frames, self._reader.frames - decoded) if self.format == "FLAC" else block_frames
            try:
                block = self._reader.read(wanted, dtype="float32", always_2d=True)
            except soundfile.LibsndfileError as error:
                raise self._damage(decoded, str(error)) from error
            if not len(block):
                break
            if not np.isfinite(block).all():
                raise self._not_finite(block, decoded)
            decoded += len(block)
            yield block
        self._check_end(decoded)

    def close(self) -> None:
        """Close the decoder; the descriptor stays open."""
        self._reader.close()

    def __enter__(self) -> SoundFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _opened(self) -> _ForwardReader:
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        try:
            return _ForwardReader(self._descriptor if self._view is None else self._view, closefd=False)
        except (soundfile.LibsndfileError, TypeError) as error:
            # TypeError: headerless data that soundfile takes for RAW.
            found = container_format.foreign(self._bytes)
            detail = found or getattr(error, "error_string", "format not recognised").rstrip(".")
            raise DataError(
                f"{self.path}: no audio format that can be read ({detail}); export it as FLAC or WAV",
                cause="audio_undecodable",
            ) from error

    def _position(self) -> int:
        """Up to where the decoder has read."""
        return os.lseek(self._descriptor, 0, os.SEEK_CUR) if self._view is None else self._view.tell()

    def _not_finite(self, block: np.ndarray, decoded: int) -> DataError:
        bad = ~np.isfinite(block)
        first = int(np.flatnonzero(bad.any(axis=1))[0])
        value = block[first][bad[first]][0]
        return DataError(
            f"{self.path}: sample at {(decoded + first) / self.sample_rate:.3f} s is {'NaN' if np.isnan(value) else 'infinite'}; "
            "export the recording again as 16 or 24 bit",
            cause="audio_undecodable",
        )

    def _damage(self, decoded: int, detail: str) -> DataError:
        """The error for data that stopped decoding: truncated when the decoder had consumed the whole file, else damaged."""
        at_end = self._position() >= self._layout.end
        seconds = f"after {decoded / self.sample_rate:.1f} s"
        if self.frames:
            seconds += f" of {self.frames / self.sample_rate:.1f} s"
        if at_end and not (self.format == "OGG" and self._has_end_of_stream()):
            return DataError(
                f"{self.path}: the data ends {seconds}; copy the recording again from its source",
                cause="audio_truncated",
            )
        return DataError(
            f"{self.path}: damaged {seconds} ({' '.join(detail.split())}); copy the recording again from its source",
            cause="audio_undecodable",
        )

    def _check_end(self, decoded: int) -> None:
        """Compare what was decoded with what the header announced."""
        if decoded < self.frames - (_MP3_SLACK if self.format == "MP3" else 0):
            raise self._damage(decoded, f"{decoded} of {self.frames} frames decode")
        if self.format == "OGG" and not self._has_end_of_stream():
            raise DataError(
                f"{self.path}: the OGG stream has no last page, so its end is missing; copy the recording again",
                cause="audio_truncated",
            )
        unread = self._layout.end - self._position()
        if self.format in ("FLAC", "MP3") and unread > _TRAILER_BYTES:  # also an MP3 of variable rate without an index
            raise DataError(
                f"{self.path}: the header announces {decoded} frames but {unread} more bytes follow that are no tag; "
                "convert the recording to FLAC",
                cause="audio_undecodable",
            )

    def _has_end_of_stream(self) -> bool:
        return container_format.has_end_of_stream(self._bytes, self._layout.end)
