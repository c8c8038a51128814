"""Measuring and levelling one utterance: loudness, signal-to-noise ratio, clipping."""

from __future__ import annotations

import warnings

import numpy as np

from trainer.audio.limits import AudioLimits
from trainer.audio.sound_file import FLOATING
from trainer.audio.speech_track import WINDOW_S, SpeechTrack

SILENCE_LUFS = -70.0
"""Absolute gate of BS.1770: what lies below is reported as this value."""

MAX_SNR_DB = 80.0
_FULL_SCALE = 0.9995
_NARROW_FULL_SCALE = {"PCM_S8": 0.9921, "PCM_U8": 0.9921, "ULAW": 0.9802, "ALAW": 0.9843}
"""Of subtypes whose largest value lies further below 1 than 16 bits resolve."""
_BIT_DB = 6.02  # each bit halves the quantisation noise
_COARSE_BITS, _FINE_BITS = 16, 24
_NOISE_PERCENTILE = 5.0
_CONTEXT_S = 3.0
_DIGITAL_SILENCE_DB = -90.0  # windows below hold no noise of the room: they were inserted or gated


def loudness_lufs(samples: np.ndarray, sample_rate: int) -> float:
    """Integrated loudness (ITU-R BS.1770-4) of (n,) samples of at least 0.4 s, in LUFS."""
    import pyloudnorm  # with all of scipy.signal, which nothing else of a training needs

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the meter takes the logarithm of zero for silence
        value = pyloudnorm.Meter(sample_rate).integrated_loudness(samples.astype(np.float64))
    return max(float(value), SILENCE_LUFS)


def normalised(samples: np.ndarray, loudness: float, settings: AudioLimits) -> np.ndarray:
    """(n,) samples brought to the target loudness by one gain, less where the peak would pass `max_peak_dbfs`."""
    peak = float(np.abs(samples).max(initial=0.0))
    gain = 10.0 ** ((settings.target_lufs - loudness) / 20.0)
    ceiling = 10.0 ** (settings.max_peak_dbfs / 20.0)
    return (samples * min(gain, ceiling / max(peak, 1e-9))).astype(np.float32)


def clipping_fraction(frames: np.ndarray, subtype: str = "PCM_16") -> float:
    """Share of (frames, channels) samples that are clipped, in the channel that clips most."""
    return float((clipped(frames, subtype) / len(frames)).max())


def clipped(frames: np.ndarray, subtype: str = "PCM_16") -> np.ndarray:
    """(frames, channels) -> (channels,) how many samples are clipped.

    Those are two and more in a row at full scale. Floating-point samples have none: theirs are in a row at the channel's own largest or
    smallest value, which is flat only where something else clipped it.
    """
    if subtype in FLOATING:
        tops, bottoms = frames == frames.max(axis=0, initial=0.0), frames == frames.min(axis=0, initial=0.0)
        return _in_a_row(tops & (frames > 0.0)) + _in_a_row(bottoms & (frames < 0.0))
    return _in_a_row(np.abs(frames) >= _NARROW_FULL_SCALE.get(subtype, _FULL_SCALE))


def _in_a_row(marked: np.ndarray) -> np.ndarray:
    """(frames, channels) bool -> (channels,) how many are marked beside another that is."""
    beside = np.zeros_like(marked)
    beside[1:] |= marked[:-1]
    beside[:-1] |= marked[1:]
    return np.count_nonzero(marked & beside, axis=0)


def least_loudness(frames: np.ndarray, settings: AudioLimits) -> float:
    """Loudness in LUFS below which the gain would make the quantisation noise of (frames, channels) samples heard.

    Samples that are all multiples of a 16-bit step have no more than 16 bits, whatever file they are in.
    """
    steps = frames * np.float32(2 ** (_COARSE_BITS - 1))
    finer = 0 if np.array_equal(steps, np.round(steps)) else _FINE_BITS - _COARSE_BITS
    return settings.min_loudness_lufs - finer * _BIT_DB


def snr_db(track: SpeechTrack, start: int, end: int, settings: AudioLimits) -> float:
    """Signal-to-noise ratio of the windows [start, end) in dB.

    Noise is the 5th percentile of the window levels of the utterance and three seconds around it (digital silence left out); the signal is the
    mean power of its speech windows less that noise.
    """
    context = round(_CONTEXT_S / WINDOW_S)
    around = track.levels_db[max(start - context, 0) : end + context]
    audible = around[around > _DIGITAL_SILENCE_DB]
    if not len(audible):
        return 0.0
    noise = 10.0 ** (float(np.percentile(audible, _NOISE_PERCENTILE)) / 10.0)
    spoken = track.probabilities[start:end] >= settings.speech_on
    levels = track.levels_db[start:end][spoken] if spoken.any() else track.levels_db[start:end]
    speech = float(np.mean(np.power(10.0, levels.astype(np.float64) / 10.0)))
    return float(np.clip(10.0 * np.log10(max(speech - noise, 1e-12) / noise), 0.0, MAX_SNR_DB))
