"""From a stream of samples to a speech track: probability and level per window of 32 ms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import soxr
from scipy.signal import butter, sosfilt, sosfilt_zi

from trainer.audio import recording, speech_detection
from trainer.audio.speech_track import SpeechTrack
from trainer.errors import DataError
from trainer.preparation.prepare_settings import PrepareSettings

_POWER_FLOOR = 1e-12  # -120 dBFS
_HIGH_PASS = butter(2, 40.0, "highpass", fs=speech_detection.SAMPLE_RATE, output="sos")
"""Levels are measured above 40 Hz: cheap sound cards add a constant offset that is neither speech nor noise."""


def detect(
    audio: recording.Recording, settings: PrepareSettings, on_progress: Callable[[float], None] | None = None
) -> tuple[SpeechTrack, int]:
    """Stream a recording once: its speech track, and the number of frames that decode.

    `on_progress` receives the seconds done. Raises DataError as `recording.blocks`, and audio_too_long.
    """
    builder = _TrackBuilder()
    resampler = soxr.ResampleStream(audio.sample_rate, speech_detection.SAMPLE_RATE, 1, dtype="float32", quality="HQ")
    frames = 0
    for block in recording.blocks(audio):
        frames += len(block)
        if frames > settings.max_duration_s * audio.sample_rate:
            raise DataError(
                f"{audio.path}: longer than {settings.max_duration_s / 3600.0:g} hours; cut it into parts",
                cause="audio_too_long",
            )
        builder.add(resampler.resample_chunk(audio.mix.mono(block)))
        if on_progress:
            on_progress(frames / audio.sample_rate)
    builder.add(resampler.resample_chunk(np.zeros(0, np.float32), last=True))
    return builder.finish(frames / audio.sample_rate), frames


def track(samples: np.ndarray) -> SpeechTrack:
    """The speech track of (n,) float32 samples at 16 kHz."""
    builder = _TrackBuilder()
    builder.add(samples)
    return builder.finish(len(samples) / speech_detection.SAMPLE_RATE)


class _TrackBuilder:
    """Collects 16 kHz samples into windows; holds no audio but the window that is not complete."""

    def __init__(self) -> None:
        self._detector = speech_detection.SpeechDetector()
        self._probabilities: list[np.ndarray] = []
        self._levels: list[np.ndarray] = []
        self._rest = np.zeros(0, np.float32)
        self._filter_state: np.ndarray | None = None

    def add(self, samples: np.ndarray) -> None:
        if not len(samples):
            return
        self._probabilities.append(self._detector.feed(samples))
        if self._filter_state is None:  # settled on the first sample, so that an offset makes no click
            self._filter_state = sosfilt_zi(_HIGH_PASS) * samples[0]
        audible, self._filter_state = sosfilt(_HIGH_PASS, samples, zi=self._filter_state)
        self._rest = np.concatenate([self._rest, audible.astype(np.float32)])
        whole = len(self._rest) // speech_detection.WINDOW * speech_detection.WINDOW
        self._levels.append(_levels_db(self._rest[:whole]))
        self._rest = self._rest[whole:].copy()

    def finish(self, duration_s: float) -> SpeechTrack:
        self._probabilities.append(self._detector.finish())
        self._levels.append(_levels_db(np.pad(self._rest, (0, -len(self._rest) % speech_detection.WINDOW))))
        return SpeechTrack(
            probabilities=np.concatenate(self._probabilities),
            levels_db=np.concatenate(self._levels),
            duration_s=duration_s,
        )


def _levels_db(samples: np.ndarray) -> np.ndarray:
    """(windows * 512,) samples -> (windows,) power in dBFS."""
    power = np.square(samples.reshape(-1, speech_detection.WINDOW)).mean(axis=1)
    return (10.0 * np.log10(np.maximum(power, _POWER_FLOOR))).astype(np.float32)
