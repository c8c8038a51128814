"""One clip file judged by every measure; what cannot be judged gets the worst marks and says why, and the others go on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import soxr

from trainer.audio import clip, quality
from trainer.audio.clip import ClipError
from trainer.audio.foreign_mel import SAMPLE_RATE
from trainer.dataset.manifest import MAX_CLIP_BYTES
from trainer.errors import DataError
from trainer.evaluation import encoder_file, intelligibility, realism, signal
from trainer.evaluation.faults import Signal, SignalLimits
from trainer.evaluation.measures import LONGEST_S, RATES
from trainer.evaluation.prompts import Item
from trainer.evaluation.realism import Opinion
from trainer.evaluation.stages import INTELLIGIBILITY, REALISM, SIGNAL, SIMILARITY, Stage, uncounted
from trainer.files import lfs_pointer, plain_file
from trainer.files.plain_file import PlainFileError
from trainer.preparation import detection
from trainer.preparation.prepare_settings import PrepareSettings
from trainer.preparation.recognisers import RecogniserChoice

MOST_FRAMES = round(LONGEST_S * 48_000)
"""Of a higher rate it is a shorter clip that is too long."""
MOST_SAMPLES = 2 * MOST_FRAMES
"""Over all channels."""
WORST = Opinion(overall=1.0, speech=1.0, background=1.0, p808=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One clip and how to judge it; cheap to send to another process."""

    item: Item
    limits: SignalLimits
    encoder: Path | None
    recogniser: RecogniserChoice = field(default_factory=RecogniserChoice)
    """What hears the words, settled."""
    only_voice: bool = False
    """For a clip that is only compared with: its speaker vector is all that is wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What was found in one clip; `vector` (d,) is None where it has the worst marks."""

    item: Item
    audio_sha256: str
    sample_rate: int
    channels: int
    vector: np.ndarray | None
    opinion: Opinion
    heard: tuple[str, ...]
    signal: Signal
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """A decoded file: the mean of its channels, what that may hide of them, and the hash of its bytes."""

    mono: np.ndarray
    """(n,) float32; what is not finite is zero."""
    sample_rate: int
    channels: int
    not_finite: int
    """Samples of all channels that are NaN or infinite."""
    clipping: float
    """Share of samples at full scale, in the channel that clips most."""
    sha256: str

    def middle(self, seconds: float) -> np.ndarray:
        """So many seconds from the middle, (m,); all of a shorter sound."""
        length = min(round(seconds * self.sample_rate), len(self.mono))
        start = (len(self.mono) - length) // 2
        return self.mono[start : start + length]

    def pieces(self, seconds: float) -> list[np.ndarray]:
        """Consecutive pieces of so many seconds; a rest goes, a shorter sound stays whole.

        Short utterances score lower than long ones by nature: a fair ceiling is made of pieces as long as what it is compared with.
        """
        length = round(seconds * self.sample_rate)
        starts = range(0, len(self.mono) - length + 1, length)
        return [self.mono[start : start + length] for start in starts] or [self.mono]


class UnusableClipError(Exception):
    """No sound can be had from a file; `fault` says why, `sha256` is that of its bytes, or empty."""

    def __init__(self, fault: str, sha256: str = "") -> None:
        super().__init__(fault)
        self.fault = fault
        self.sha256 = sha256


def judge(task: Task, stage: Stage = uncounted) -> Judged:
    """Judge one clip; its numbers depend on nothing else. Raises RuntimeSetupError where a model is missing or broken."""
    with stage(SIGNAL):
        try:
            sound = read(task.item.path)
        except UnusableClipError as error:
            return _unusable(task, error)
        wave = sound.mono
        measured = _signal(sound, wave)
    words = len(intelligibility.spoken_words(task.item.prompt)) if task.item.prompt else None
    faults = measured.faults(task.limits, words=words)
    vector, opinion, heard = None, WORST, ()
    if measured.silence < 1.0 and not measured.not_finite:
        encoder = encoder_file.load(task.encoder)
        try:
            with stage(SIMILARITY):
                vector = encoder.embed(wave, sound.sample_rate)
            if not task.only_voice:
                with stage(REALISM):
                    opinion = realism.opinion(wave, sound.sample_rate)
                with stage(INTELLIGIBILITY):
                    heard = _heard(task, wave, sound.sample_rate)
        except DataError as error:  # so short that nothing is left of it at the models' rate
            return _unusable(task, UnusableClipError(error.cause, sound.sha256))
    return Judged(
        item=task.item, audio_sha256=sound.sha256, sample_rate=sound.sample_rate, channels=sound.channels,
        vector=vector, opinion=opinion, heard=heard, signal=measured, faults=faults,
    )  # fmt: skip


def _heard(task: Task, wave: np.ndarray, sample_rate: int) -> tuple[str, ...]:
    return intelligibility.recognise(wave, sample_rate, task.recogniser) if task.item.prompt else ()


def read(path: Path | None) -> Sound:
    """Decode a file, through no link; raises UnusableClipError."""
    if path is None:
        raise UnusableClipError("missing")
    try:
        data = plain_file.read(path, limit=MAX_CLIP_BYTES)
    except PlainFileError as error:
        raise UnusableClipError(error.cause) from error
    digest = hashlib.sha256(data).hexdigest()
    if lfs_pointer.pointer_oid(data) is not None:
        raise UnusableClipError("lfs_pointer", digest)
    try:
        with clip.opened(data) as file:
            if file.samplerate not in RATES:
                raise UnusableClipError("impossible_rate", digest)
            return _decoded(file, digest)
    except ClipError as error:
        raise UnusableClipError(error.cause, digest) from error


def _decoded(file: clip.SoundFile, digest: str) -> Sound:
    """Block by block, for a small file may unpack to gigabytes; raises ClipError."""
    channels = file.channels
    most = min(round(LONGEST_S * file.samplerate), MOST_FRAMES, MOST_SAMPLES // channels)
    parts: list[np.ndarray] = []
    frames, not_finite, clipped = 0, 0, np.zeros(channels, dtype=np.int64)
    for block in clip.blocks(file, most):
        frames += len(block)
        not_finite += int(np.count_nonzero(~np.isfinite(block)))
        finite = np.nan_to_num(block, nan=0.0, posinf=1.0, neginf=-1.0)
        clipped += quality.clipped(finite)
        parts.append(finite.mean(axis=1, dtype=np.float32))
    return Sound(
        mono=np.concatenate(parts), sample_rate=file.samplerate, channels=channels, not_finite=not_finite,
        clipping=float((clipped / frames).max()), sha256=digest,
    )  # fmt: skip


def require_sound(path: Path | None) -> Sound:
    """A clip that others are to be compared with; raises DataError(audio_undecodable | no_usable_speech) where it has no sound."""
    try:
        sound = read(path)
    except UnusableClipError as error:
        raise DataError(
            f"{path}: {error.fault}; the reference needs regular files that decode, with speech",
            cause="audio_undecodable",
        ) from error
    if not sound.mono.any():
        raise DataError(f"{path}: silent; the reference needs clips with speech", cause="no_usable_speech")
    return sound


def _signal(sound: Sound, wave: np.ndarray) -> Signal:
    """The mean of the channels measured, with the faults that the mean may hide; the noise only where there is sound."""
    return replace(
        signal.measure(wave, sound.sample_rate),
        not_finite=sound.not_finite,
        clipping=sound.clipping,
        snr_db=_snr_db(wave, sound.sample_rate) if wave.any() else None,
    )


def _snr_db(wave: np.ndarray, sample_rate: int) -> float:
    samples = soxr.resample(wave, sample_rate, SAMPLE_RATE, quality="HQ")
    track = detection.track(samples)
    return quality.snr_db(track, 0, len(track.probabilities), PrepareSettings())


def _unusable(task: Task, error: UnusableClipError) -> Judged:
    return Judged(
        item=task.item, audio_sha256=error.sha256, sample_rate=0, channels=0, vector=None, opinion=WORST, heard=(),
        signal=signal.measure(np.zeros(0, np.float32)), faults=(error.fault,),
    )  # fmt: skip
