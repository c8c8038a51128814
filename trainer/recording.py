"""Reading a recording of any length as a stream: what it is, its digest, and its samples block by block.

A file is decoded forwards only, through one descriptor; nothing is ever loaded whole. Whatever libsndfile reads is accepted (FLAC, WAV, OGG,
MP3, ...). A file that does not decode to the end it announces is refused, never shortened in silence.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from trainer import lfs_pointer, plain_file
from trainer.container_format import announced_size_problem, has_end_of_stream
from trainer.errors import DataError
from trainer.plain_file import PlainFileError
from trainer.prepare_settings import PrepareSettings

BLOCK_FRAMES = 65_536
_UNKNOWN_FRAMES = 2**62  # libsndfile announces SF_COUNT_MAX where the format does not tell
_MP3_SLACK_S = 1.0  # an MP3 without an index only estimates its length
_TRAILER_BYTES = 65_536  # tags behind the last frame; more than this is audio that the header hides


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One audio file as found: identity and announced format."""

    path: Path
    bytes: int
    sha256: str
    format: str
    sample_rate: int
    channels: int
    announced_s: float
    """Duration by the header; 0 where it does not tell."""


class _ForwardReader(soundfile.SoundFile):
    """Decodes without the seek that soundfile makes after every read (it hides damage and fails on streamed FLAC)."""

    def seekable(self) -> bool:
        return False


def inspect(path: Path, settings: PrepareSettings | None = None) -> Recording:
    """Identify `path` without decoding it.

    Raises DataError: audio_missing, audio_unreadable, audio_not_regular, lfs_pointer, audio_undecodable, audio_truncated.
    """
    settings = settings or PrepareSettings()
    with _descriptor(path) as descriptor:
        _refuse_pointer(path, os.pread(descriptor, lfs_pointer.HEAD_BYTES, 0))
        with _reader(path, descriptor) as reader:
            _check_header(path, reader, settings)
            announced = reader.frames / reader.samplerate if reader.frames < _UNKNOWN_FRAMES else 0.0
            found = (reader.format, reader.samplerate, reader.channels, announced)
        problem = announced_size_problem(descriptor)
        if problem:
            raise DataError(f"{path}: {problem}; copy the recording again or convert it to FLAC", cause="audio_truncated")
    return Recording(
        path=path,
        bytes=path.stat().st_size,
        sha256=sha256_file(path),
        format=found[0],
        sample_rate=found[1],
        channels=found[2],
        announced_s=found[3],
    )


def blocks(recording: Recording, block_frames: int = BLOCK_FRAMES) -> Iterator[np.ndarray]:
    """Yield all samples of a recording in order, as (frames, channels) float32 blocks, full scale 1.0.

    Raises DataError: audio_truncated when the data ends early, audio_undecodable when it is damaged or holds NaN or infinite samples.
    """
    path, decoded = recording.path, 0
    with _descriptor(path) as descriptor, _reader(path, descriptor) as reader:
        while True:
            # Never past the announced end: the FLAC decoder would take the tags behind it for damage.
            wanted = min(block_frames, reader.frames - decoded) if reader.format == "FLAC" else block_frames
            try:
                block = reader.read(wanted, dtype="float32", always_2d=True)
            except soundfile.LibsndfileError as error:
                raise _damage(path, descriptor, decoded, reader, str(error)) from error
            if not len(block):
                break
            if not np.isfinite(block).all():
                second = (decoded + int(np.flatnonzero(~np.isfinite(block).all(axis=1))[0])) / reader.samplerate
                raise DataError(
                    f"{path}: sample at {second:.3f} s is NaN or infinite; export the recording again as 16 or 24 bit",
                    cause="audio_undecodable",
                )
            decoded += len(block)
            yield block
        _check_end(path, descriptor, decoded, reader)


def mono(block: np.ndarray) -> np.ndarray:
    """(frames, channels) -> (frames,): the mean of the channels."""
    return block[:, 0] if block.shape[1] == 1 else block.mean(axis=1, dtype=np.float32)


def excerpts(recording: Recording, spans: Sequence[tuple[int, int]]) -> Iterator[np.ndarray]:
    """Yield (frames, channels) samples of each [start, end) frame span, in one pass; spans are ascending and do not overlap."""
    position, parts = 0, []
    remaining = iter(spans)
    span = next(remaining, None)
    for block in blocks(recording):
        block_end = position + len(block)
        while span is not None and span[0] < block_end:
            parts.append(block[max(span[0] - position, 0) : span[1] - position])
            if span[1] > block_end:
                break
            yield np.concatenate(parts)
            parts = []
            span = next(remaining, None)
        position = block_end
    if span is not None:
        raise DataError(f"{recording.path}: ended before {span[1]} frames on second reading; leave it alone and run again",
                        cause="audio_changed_during_run")


def sha256_file(path: Path) -> str:
    """Hex digest of a regular file, read as a stream; raises DataError."""
    try:
        return plain_file.sha256_through_links(path)
    except PlainFileError as error:
        raise _unusable(path, error) from error


@contextmanager
def _descriptor(path: Path) -> Iterator[int]:
    """Open a regular file for reading; a FIFO or device is refused without blocking. The user's own recording may be a link."""
    try:
        descriptor = plain_file.descriptor_through_links(path)
    except PlainFileError as error:
        raise _unusable(path, error) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _unusable(path: Path, error: PlainFileError) -> DataError:
    if error.cause == "missing":
        return DataError(f"{path}: the recording does not exist; put it there", cause="audio_missing")
    if error.cause == "denied":
        return DataError(f"{path}: this user may not read it; run chmod u+r", cause="audio_unreadable")
    if error.mode is not None:
        return DataError(f"{path}: not a regular file; replace it by the recording itself", cause="audio_not_regular")
    return DataError(f"{path}: {error}; make it a readable regular file", cause="audio_not_regular")


def _refuse_pointer(path: Path, head: bytes) -> None:
    oid = lfs_pointer.pointer_oid(head)
    if oid is not None:
        raise DataError(f"{path}: a Git LFS pointer (sha256:{oid}), not audio; run git lfs pull", cause="lfs_pointer")


def _reader(path: Path, descriptor: int) -> _ForwardReader:
    os.lseek(descriptor, 0, os.SEEK_SET)
    try:
        return _ForwardReader(descriptor, closefd=False)
    except (soundfile.LibsndfileError, TypeError) as error:  # TypeError: headerless data that soundfile takes for RAW
        detail = getattr(error, "error_string", "format not recognised").rstrip(".")
        raise DataError(
            f"{path}: no audio format that can be read ({detail}); export it as FLAC or WAV", cause="audio_undecodable"
        ) from error


def _check_header(path: Path, reader: soundfile.SoundFile, settings: PrepareSettings) -> None:
    if not settings.min_sample_rate <= reader.samplerate <= settings.max_sample_rate:
        raise DataError(
            f"{path}: sample rate {reader.samplerate} Hz is outside {settings.min_sample_rate}-{settings.max_sample_rate} Hz; "
            "export it at 22050 or 44100 Hz",
            cause="audio_undecodable",
        )


def _damage(path: Path, descriptor: int, decoded: int, reader: soundfile.SoundFile, detail: str) -> DataError:
    """The error for data that stopped decoding: truncated when the decoder had consumed the whole file, else damaged."""
    at_end = os.lseek(descriptor, 0, os.SEEK_CUR) >= os.fstat(descriptor).st_size
    seconds = f"after {decoded / reader.samplerate:.1f} s of {reader.frames / reader.samplerate:.1f} s"
    if reader.frames >= _UNKNOWN_FRAMES:
        seconds = f"after {decoded / reader.samplerate:.1f} s"
    if at_end and not (reader.format == "OGG" and has_end_of_stream(descriptor)):
        return DataError(f"{path}: the data ends {seconds}; copy the recording again from its source", cause="audio_truncated")
    return DataError(
        f"{path}: damaged {seconds} ({' '.join(detail.split())}); copy the recording again from its source", cause="audio_undecodable"
    )


def _check_end(path: Path, descriptor: int, decoded: int, reader: soundfile.SoundFile) -> None:
    """Compare what was decoded with what the header announced."""
    slack = int(_MP3_SLACK_S * reader.samplerate) if reader.format == "MP3" else 0
    if reader.frames < _UNKNOWN_FRAMES and decoded < reader.frames - slack:
        raise _damage(path, descriptor, decoded, reader, f"{decoded} of {reader.frames} frames decode")
    if reader.format == "OGG" and not has_end_of_stream(descriptor):
        raise DataError(
            f"{path}: the OGG stream has no last page, so its end is missing; copy the recording again", cause="audio_truncated"
        )
    unread = os.fstat(descriptor).st_size - os.lseek(descriptor, 0, os.SEEK_CUR)
    if reader.format in ("FLAC", "MP3") and unread > _TRAILER_BYTES:  # also an MP3 of variable rate without an index
        raise DataError(
            f"{path}: the header announces {decoded} frames but {unread} more bytes follow; convert the recording to FLAC",
            cause="audio_undecodable",
        )
