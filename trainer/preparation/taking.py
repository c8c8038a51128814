"""Taking the cuts out of a recording: measure, judge, level, resample and write each utterance."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr

from trainer.audio import audio_file, quality, recording
from trainer.audio.speech_track import SpeechTrack
from trainer.dataset.manifest import Dropped, Quality
from trainer.files.atomic_file import write_atomically
from trainer.preparation.cutting import Cut, seconds
from trainer.preparation.prepare_settings import PrepareSettings
from trainer.preparation.recording_kinds import Kinds

_FULL_SCALE = 32_767.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """One usable cut: its place in the recording in seconds, the samples (n,) int16 as they are written, and what was measured before."""

    start_s: float
    end_s: float
    samples: np.ndarray
    quality: Quality


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenClip:
    """A clip on disk."""

    sha256: str
    duration_s: float


def take(
    audio: recording.Recording,
    track: SpeechTrack,
    cuts: Sequence[Cut],
    settings: PrepareSettings,
    on_progress: Callable[[float], None] | None = None,
    kinds: Kinds | None = None,
) -> Iterator[Utterance | Dropped]:
    """Stream the recording once more and yield every cut in order, as a usable utterance or as dropped with its reason.

    `kinds` hears the samples of both.
    """
    spans = [_frames(each, audio, track) for each in cuts if each.reason is None]
    excerpts = recording.excerpts(audio, spans) if spans else iter(())
    for each in cuts:
        start_s, end_s = seconds(each.start, track), seconds(each.end, track)
        if each.reason is not None:
            yield Dropped(start_s=start_s, end_s=end_s, reason=each.reason)
            continue
        frames = audio.mix.frames(next(excerpts))
        samples, measured = _level(frames, audio, quality.snr_db(track, each.start, each.end, settings), settings)
        reason = _complaint(measured, quality.least_loudness(frames, settings), settings)
        if kinds is not None:
            kinds.add(samples / np.float32(_FULL_SCALE), noisy=reason == "too_noisy")
        if on_progress:
            on_progress(end_s)
        if reason is not None:
            yield Dropped(start_s=start_s, end_s=end_s, reason=reason)
        else:
            yield Utterance(start_s=start_s, end_s=end_s, samples=samples, quality=measured)
    for _ in excerpts:  # reads on to the end, so that damage behind the last cut is noticed here too
        pass


def write(utterance: Utterance, path: Path, settings: PrepareSettings) -> WrittenClip:
    """Write one utterance as mono 16-bit FLAC, atomically; a clip that is already there with the same bytes is left alone."""
    data = audio_file.flac(utterance.samples, settings.sample_rate)
    if not _holds(path, data):
        write_atomically(path, data)
    return WrittenClip(
        sha256=hashlib.sha256(data).hexdigest(), duration_s=len(utterance.samples) / settings.sample_rate
    )


def _frames(each: Cut, audio: recording.Recording, track: SpeechTrack) -> tuple[int, int]:
    rate = audio.sample_rate
    return round(seconds(each.start, track) * rate), round(seconds(each.end, track) * rate)


def _level(
    frames: np.ndarray, audio: recording.Recording, snr: float, settings: PrepareSettings
) -> tuple[np.ndarray, Quality]:
    """(frames, channels) float32 -> ((n,) int16 mono at the output rate and loudness, what was measured before)."""
    mono = recording.mono(frames)
    if audio.sample_rate != settings.sample_rate:
        mono = soxr.resample(mono, audio.sample_rate, settings.sample_rate, quality="HQ")
    # A constant offset would take headroom from the speech.
    mono = mono - mono.mean(dtype=np.float64).astype(np.float32)
    loudness = quality.loudness_lufs(mono, settings.sample_rate)
    levelled = quality.normalised(mono, loudness, settings)
    clipping = quality.clipping_fraction(frames, audio.subtype)
    measured = Quality(snr_db=round(snr, 2), clipping=round(clipping, 6), loudness_lufs=round(loudness, 2))
    return np.round(levelled * _FULL_SCALE).astype(np.int16), measured


def _complaint(measured: Quality, least_loudness: float, settings: PrepareSettings) -> str | None:
    """Why an utterance of this quality is dropped, or None."""
    if measured.loudness_lufs < least_loudness or measured.loudness_lufs <= quality.SILENCE_LUFS:
        return "too_quiet"
    if measured.clipping > settings.max_clipping:
        return "clipped"
    if measured.snr_db < settings.min_snr_db:
        return "too_noisy"
    return None


def _holds(path: Path, data: bytes) -> bool:
    try:
        return not path.is_symlink() and path.is_file() and path.read_bytes() == data
    except OSError:
        return False
