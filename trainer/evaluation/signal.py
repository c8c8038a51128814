"""Measuring a wave without any network: clipping, offset, silence, loudness, pace, and speech that is cut off."""

from __future__ import annotations

import numpy as np

from trainer.audio import features, quality
from trainer.evaluation.faults import DEFAULT_LIMITS, Signal, SignalLimits

__all__ = ["DEFAULT_LIMITS", "Signal", "SignalLimits", "measure"]

_WINDOW_S = 0.02
_EDGE_S = 0.005
_FLOOR_DB = -120.0
_SILENCE_DB = -40.0  # below the loudest window
_LOUD_PERCENTILE = 95.0
_LOUDNESS_S = 0.4  # one gating block of BS.1770


def measure(wave: np.ndarray, sample_rate: int = features.SAMPLE_RATE) -> Signal:
    """Measure (n,) float samples; never fails."""
    finite = np.isfinite(wave)
    samples = np.nan_to_num(np.asarray(wave, dtype=np.float64), posinf=1.0, neginf=-1.0)
    centred = samples - samples.mean() if len(samples) else samples
    levels = _levels_db(centred, round(_WINDOW_S * sample_rate))
    edge = round(_EDGE_S * sample_rate)
    loud = float(np.percentile(levels, _LOUD_PERCENTILE)) if len(levels) else _FLOOR_DB
    audible = np.flatnonzero((levels > levels.max(initial=_FLOOR_DB) + _SILENCE_DB) & (levels > _FLOOR_DB))
    pause = int(np.diff(audible).max(initial=1)) - 1
    edges = (
        (_level_db(centred[:edge]) - loud, _level_db(centred[-edge:]) - loud)
        if len(audible)
        else (_FLOOR_DB, _FLOOR_DB)
    )
    seconds = len(samples) / sample_rate
    return Signal(
        seconds=seconds,
        spoken_s=min(float(audible[-1] + 1 - audible[0]) * _WINDOW_S, seconds) if len(audible) else 0.0,
        not_finite=int(np.count_nonzero(~finite)),
        clipping=quality.clipping_fraction(samples[:, None]) if len(samples) else 0.0,
        offset=float(abs(samples.mean())) if len(samples) else 0.0,
        silence=1.0 - len(audible) / max(len(levels), 1),
        longest_pause_s=pause * _WINDOW_S,
        start_edge_db=edges[0],
        end_edge_db=edges[1],
        loudness_lufs=quality.loudness_lufs(samples, sample_rate) if len(audible) and seconds >= _LOUDNESS_S else None,
    )


def _levels_db(samples: np.ndarray, window: int) -> np.ndarray:
    """(n,) -> (windows,) levels in dBFS; the last window is aligned to the end, so that it is whole."""
    if not len(samples):
        return np.zeros(0)
    last = max(len(samples) - window, 0)
    return np.array([_level_db(samples[start : start + window]) for start in (*range(0, last, window), last)])


def _level_db(samples: np.ndarray) -> float:
    return 10.0 * float(np.log10(max(float(np.square(samples).mean()), 10.0 ** (_FLOOR_DB / 10.0))))
