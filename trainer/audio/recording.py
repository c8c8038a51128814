"""Reading a recording of any length as a stream: what it is, its digest, and its samples block by block.

A file is decoded forwards only, through one descriptor; nothing is loaded whole unless `read` is asked for it. A file that does not decode to
the end that it announces is refused, never shortened in silence. Whoever needs the samples of somebody's file gets them here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from trainer.audio.channels import MOST_CHANNELS, ChannelMeter, named
from trainer.audio.limits import AudioLimits
from trainer.audio.sound_file import SoundFile
from trainer.errors import DataError
from trainer.files import lfs_pointer, plain_file
from trainer.files.plain_file import PlainFileError

BLOCK_FRAMES = 65_536

_INTEGERS_FROM = 64.0
"""Peak of floating-point samples that are integers: no mix lies 36 dB over full scale, 16-bit speech reaches it at -54 dBFS."""
_INTEGER_BITS = (16, 24, 32)
_HEADROOM = 8.0  # integers that were mixed or resampled may pass their full scale


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """How channels become one: those of `taken` (None: all) are scaled and averaged; `why` says what is not as usual."""

    taken: tuple[int, ...] | None = None
    scale: float = 1.0
    why: str = ""

    def frames(self, block: np.ndarray) -> np.ndarray:
        """(frames, channels) -> (frames, taken channels), full scale 1.0."""
        taken = block if self.taken is None else block[:, self.taken]
        return taken if self.scale == 1.0 else taken * np.float32(self.scale)

    def mono(self, block: np.ndarray) -> np.ndarray:
        """(frames, channels) -> (frames,)."""
        return mono(self.frames(block))


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One audio file as found: identity, announced format, and how its channels become one."""

    path: Path
    bytes: int
    sha256: str
    format: str
    subtype: str
    floating: bool
    """Samples are floating-point numbers, which may pass full scale."""
    sample_rate: int
    channels: int
    announced_s: float
    """Duration by the header; 0 where it does not tell."""
    mix: Mix = Mix()


def inspect(path: Path, settings: AudioLimits | None = None) -> Recording:
    """Identify `path` without decoding it.

    Raises DataError: audio_missing, audio_unreadable, audio_not_regular, lfs_pointer, audio_undecodable, audio_truncated.
    """
    settings = settings or AudioLimits()
    with _descriptor(path) as descriptor:
        _refuse_pointer(path, os.pread(descriptor, lfs_pointer.HEAD_BYTES, 0))
        with SoundFile(path, descriptor) as file:
            _check_rate(path, file.sample_rate, settings)
            return Recording(
                path=path,
                bytes=os.fstat(descriptor).st_size,
                sha256=sha256_file(path),
                format=file.format,
                subtype=file.subtype,
                floating=file.floating,
                sample_rate=file.sample_rate,
                channels=file.channels,
                announced_s=file.frames / file.sample_rate,
            )


def blocks(recording: Recording, block_frames: int = BLOCK_FRAMES) -> Iterator[np.ndarray]:
    """Yield all samples of a recording in order, as (frames, channels) float32 blocks, as they are stored.

    Raises DataError: audio_truncated when the data ends early, audio_undecodable when it is damaged or holds NaN or infinite samples.
    """
    with _descriptor(recording.path) as descriptor, SoundFile(recording.path, descriptor) as file:
        yield from file.blocks(block_frames)


class Survey:
    """Finds the mix of a recording from its blocks; only several channels and floating-point samples need one."""

    def __init__(self, audio: Recording) -> None:
        self._audio = audio
        self._meter = ChannelMeter(audio.channels, audio.sample_rate) if 1 < audio.channels <= MOST_CHANNELS else None
        self._peak = 0.0

    @property
    def needed(self) -> bool:
        """Whether the blocks can tell anything; a single channel of integers is its own mix."""
        return self._audio.floating or self._meter is not None

    def add(self, block: np.ndarray) -> None:
        """Look at the next block of the recording."""
        if self._audio.floating:
            self._peak = max(self._peak, float(np.abs(block).max(initial=0.0)))
        if self._meter is not None:
            self._meter.add(block)

    def recording(self, settings: AudioLimits) -> Recording:
        """The recording with its mix; raises DataError(audio_undecodable) for samples of no known scale."""
        bits, notes, taken = self._integer_bits(), [], None
        if bits:
            notes.append(f"its floating-point samples hold {bits}-bit integers and are scaled to full scale")
        if self._meter is not None:
            choice = self._meter.choice(settings)
            if choice.why:
                taken = choice.taken
                mean = "the mean of " if len(taken) > 1 else ""
                notes.append(f"{choice.why}; {mean}{named(taken)} of {self._audio.channels} is taken")
        scale = 2.0 ** (1 - bits) if bits else 1.0
        return replace(self._audio, mix=Mix(taken=taken, scale=scale, why=", ".join(notes)))

    def _integer_bits(self) -> int | None:
        if self._peak < _INTEGERS_FROM:
            return None
        for bits in _INTEGER_BITS:
            if self._peak <= _HEADROOM * 2.0 ** (bits - 1):
                return bits
        raise DataError(
            f"{self._audio.path}: its floating-point samples reach {self._peak:.3g}, beyond full scale (1) and beyond 32-bit integers; "
            "export the recording again as 16 or 24 bit",
            cause="audio_undecodable",
        )


def surveyed(audio: Recording, settings: AudioLimits) -> Recording:
    """The recording with its mix, for which it is streamed once where that is needed; raises DataError as `blocks`."""
    survey = Survey(audio)
    if survey.needed:
        for block in blocks(audio):
            survey.add(block)
    return survey.recording(settings)


def read(path: Path, settings: AudioLimits | None = None) -> tuple[np.ndarray, int]:
    """((n,) float32, sample rate) of a clip that fits into memory, one channel by its mix; raises DataError."""
    settings = settings or AudioLimits()
    found = inspect(path, settings)
    survey, parts = Survey(found), []
    for block in blocks(found):
        survey.add(block)
        parts.append(block)
    return survey.recording(settings).mix.mono(np.concatenate(parts)), found.sample_rate


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
        raise DataError(
            f"{recording.path}: ended before {span[1]} frames on second reading; leave it alone and run again",
            cause="audio_changed_during_run",
        )


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


def _check_rate(path: Path, rate: int, settings: AudioLimits) -> None:
    if not settings.min_sample_rate <= rate <= settings.max_sample_rate:
        raise DataError(
            f"{path}: sample rate {rate} Hz is outside {settings.min_sample_rate}-{settings.max_sample_rate} Hz; "
            "export it at 22050 or 44100 Hz",
            cause="audio_undecodable",
        )
