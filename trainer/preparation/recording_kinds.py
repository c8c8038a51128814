"""Kinds of recording that give a poor voice: a whisperer's, a telephone's, music under speech, a child's or one that runs too fast.

Every utterance that was cut, kept or dropped, is measured alone: how much of it is voiced, how high it is spoken, up to which frequency it has
sound, and whether its quietest tenth holds tones (2 ms of CPU a second). A kind is warned of from `min_kind_share` of the speech on.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.ndimage import median_filter

from trainer.audio.features import F0_LOW_HZ, FFT, SAMPLE_RATE
from trainer.preparation.prepare_settings import PrepareSettings

_STEP = FFT // 2
_LOUD_DB = 10.0  # under the level that 5 % of the frames pass: vowels, and no noise that is 10 dB below the speech
_AUDIBLE_DB = 40.0  # quieter pauses hold nothing that a voice could learn
_QUIET_SHARE = 0.1
_VOICED_LOW_HZ, _VOICED_HIGH_HZ = 50.0, 2000.0
_F0_HIGH_HZ = 600.0  # a child's, and that of a file which runs at twice its speed
_PERIODIC = 0.8  # of the autocorrelation at the period: vowels 0.9, a whispered formant 0.6
_BAND_HZ = 250.0
_BAND_DEPTH_DB, _STEADY_DEPTH_DB, _MOVES_DB = 55.0, 35.0, 10.0
_TONE_LOW_HZ, _TONE_HIGH_HZ = 150.0, 5000.0  # above the hum of the mains
_TONE_BINS, _TONE_PEAKS, _TONE_DB = 41, 8, 16.0
_FLOOR = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Acoustics:
    """One utterance: voiced share of its loud frames, their median F0, highest frequency with sound, tonal share of its quietest frames."""

    voiced: float
    f0_hz: float
    bandwidth_hz: float
    tonal: float
    noisy: bool = False
    """Whether noise hides what is voiced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """`says` and `advice` are what a person reads; `found` is asked of every utterance, `value` of those that are of the kind."""

    found: Callable[[Acoustics, PrepareSettings], bool]
    value: Callable[[Acoustics], float]
    says: str
    advice: str


KINDS = (
    Kind(
        found=lambda one, limits: one.bandwidth_hz < limits.min_bandwidth_hz,
        value=lambda one: one.bandwidth_hz,
        says="have no sound above {value:.0f} Hz, as by telephone (under {limits.min_bandwidth_hz:.0f} Hz)",
        advice="the voice will sound so, too; give the recording before it was narrowed, or record with 16 kHz or more",
    ),
    Kind(
        found=lambda one, limits: one.voiced < limits.min_voiced_share and not one.noisy,
        value=lambda one: one.voiced,
        says="are whispered: {value:.0%} of the speech is voiced (under {limits.min_voiced_share:.0%})",
        advice="the voice will whisper badly; record in a speaking voice",
    ),
    Kind(
        found=lambda one, limits: one.tonal > limits.max_tonal_pauses,
        value=lambda one: one.tonal,
        says="have music or a steady tone under the speech: {value:.0%} of the pauses sound (over {limits.max_tonal_pauses:.0%})",
        advice="the voice will learn it; give the speech without music",
    ),
    Kind(
        # A whisper has no pitch, and that of music is nobody's.
        found=lambda one, limits: (
            one.f0_hz > limits.max_median_f0_hz
            and one.voiced >= limits.min_voiced_share
            and one.tonal <= limits.max_tonal_pauses
        ),
        value=lambda one: one.f0_hz,
        says="are spoken as high as a child speaks, or run too fast: F0 {value:.0f} Hz (over {limits.max_median_f0_hz:.0f} Hz)",
        advice="the recogniser and the base know adults; correct the sample rate if it is wrong, else write what is said beside "
        "the recording and listen to what comes out",
    ),
)


@dataclass(slots=True)
class Kinds:
    """Collects the sound of utterances, each with its seconds."""

    _heard: list[tuple[Acoustics, float]] = field(default_factory=list)

    def add(self, wave: np.ndarray, *, noisy: bool) -> None:
        """One more utterance, as `measure` takes it."""
        self._heard.append((replace(measure(wave), noisy=noisy), len(wave) / SAMPLE_RATE))

    def warnings(self, settings: PrepareSettings) -> list[str]:
        """A sentence for every kind that `min_kind_share` of the speech is of: what it is, measured and asked, and what to do."""
        told, least_s = [], settings.min_kind_share * math.fsum(seconds for _, seconds in self._heard)
        for kind in KINDS:
            of_kind = [(sound, seconds) for sound, seconds in self._heard if kind.found(sound, settings)]
            if of_kind and math.fsum(seconds for _, seconds in of_kind) >= least_s:
                value = float(np.median([kind.value(sound) for sound, _ in of_kind]))
                said = kind.says.format(value=value, limits=settings)
                told.append(f"{len(of_kind)} of {len(self._heard)} utterances {said}; {kind.advice}")
        return told


def measure(wave: np.ndarray) -> Acoustics:
    """The sound of one utterance (samples,) float32 at SAMPLE_RATE, levelled, of at least 0.2 s."""
    frames = np.lib.stride_tricks.sliding_window_view(wave, FFT)[::_STEP].astype(np.float64)
    levels = 10.0 * np.log10(np.square(frames).mean(axis=1) + _FLOOR)
    top = float(np.percentile(levels, 95))
    window = np.hanning(FFT)
    power = np.square(np.abs(np.fft.rfft(frames * window, 2 * FFT)))
    hertz = np.fft.rfftfreq(2 * FFT, 1.0 / SAMPLE_RATE)
    periodic, f0 = _periods(power[levels > top - _LOUD_DB], hertz, window)
    quiet = np.argsort(levels, kind="stable")[: max(1, math.ceil(_QUIET_SHARE * len(levels)))]
    tonal = _tonal(power[quiet], hertz) & (levels[quiet] > top - _AUDIBLE_DB)
    voiced = periodic > _PERIODIC
    return Acoustics(
        voiced=float(voiced.mean()),
        f0_hz=float(np.median(f0[voiced])) if voiced.any() else 0.0,
        bandwidth_hz=_bandwidth(power, hertz),
        tonal=float(tonal.mean()),
    )


def _periods(power: np.ndarray, hertz: np.ndarray, window: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(frames, FFT + 1) power -> (normalised autocorrelation at the period, F0 in Hz), both (frames,)."""
    voice = np.where((hertz >= _VOICED_LOW_HZ) & (hertz <= _VOICED_HIGH_HZ), power, 0.0)
    taper = np.fft.irfft(np.square(np.abs(np.fft.rfft(window, 2 * FFT))))
    correlation = np.fft.irfft(voice)
    first, last = round(SAMPLE_RATE / _F0_HIGH_HZ), round(SAMPLE_RATE / F0_LOW_HZ)
    periodic = correlation[:, first:last] / np.maximum(correlation[:, :1], _FLOOR) / (taper[first:last] / taper[0])
    best = periodic.max(axis=1)
    # The shortest period that is nearly as good: twice the period is one, too.
    rising = (periodic >= 0.95 * best[:, None]).argmax(axis=1)
    peak = [start + int(row[start : start + 12].argmax()) for start, row in zip(rising.tolist(), periodic, strict=True)]
    return best, SAMPLE_RATE / (first + np.array(peak, dtype=np.float64))


def _bandwidth(power: np.ndarray, hertz: np.ndarray) -> float:
    """Upper edge in Hz of the highest band that moves with the speech, or that is loud all the time."""
    band = (hertz / _BAND_HZ).astype(int)
    whole = band < band[-1]  # the last one is a few bins, which move by chance
    sums = np.add.reduceat(power[:, whole], np.flatnonzero(np.diff(band[whole], prepend=-1)), axis=1)
    high, low = (10.0 * np.log10(np.percentile(sums, share, axis=0) + _FLOOR) for share in (95.0, 10.0))
    depth = high.max() - high
    sounding = (depth < _STEADY_DEPTH_DB) | ((depth < _BAND_DEPTH_DB) & (high - low > _MOVES_DB))
    return float((np.flatnonzero(sounding)[-1] + 1) * _BAND_HZ)


def _tonal(power: np.ndarray, hertz: np.ndarray) -> np.ndarray:
    """(frames, FFT + 1) power -> (frames,) whether its strongest peaks stand out of their surroundings as notes do."""
    decibels = 10.0 * np.log10(power[:, (hertz >= _TONE_LOW_HZ) & (hertz <= _TONE_HIGH_HZ)] + _FLOOR)
    above = decibels - median_filter(decibels, (1, _TONE_BINS))
    return np.sort(above, axis=1)[:, -_TONE_PEAKS:].mean(axis=1) > _TONE_DB
