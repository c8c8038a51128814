"""Faults of a wave that need no network to be found: clipping, offset, silence, and speech that is cut off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trainer import features, quality

_WINDOW_S = 0.02
_EDGE_S = 0.005
_FLOOR_DB = -120.0
_SILENCE_DB = -40.0  # below the loudest window
_LOUD_PERCENTILE = 95.0
_CUT_DB = -20.0  # an edge this close to the loud windows is in the middle of a sound
_MOST_CLIPPING = 1e-4
_MOST_OFFSET = 0.01
_LONGEST_PAUSE_S = 1.5
_MOST_SILENCE = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """Measurements of one wave."""

    seconds: float
    finite: bool
    clipping: float
    """Share of samples at full scale."""
    offset: float
    """Absolute mean, full scale 1."""
    silence: float
    """Share of 20 ms windows more than 40 dB below the loudest; 1 for digital silence."""
    longest_pause_s: float
    """Longest run of such windows between sounds."""
    edge_db: tuple[float, float]
    """Level of the first and last 5 ms against the loud windows; near 0 dB the wave starts or ends in a sound."""

    @property
    def faults(self) -> tuple[str, ...]:
        """What is wrong, by name; empty for a sound wave."""
        found = {
            "not_finite": not self.finite,
            "clipped": self.clipping > _MOST_CLIPPING,
            "offset": self.offset > _MOST_OFFSET,
            "silent": self.silence > _MOST_SILENCE,
            "long_pause": self.longest_pause_s > _LONGEST_PAUSE_S,
            "starts_abruptly": self.edge_db[0] > _CUT_DB,
            "ends_abruptly": self.edge_db[1] > _CUT_DB,
        }
        return tuple(name for name, present in found.items() if present)


def measure(wave: np.ndarray, sample_rate: int = features.SAMPLE_RATE) -> Signal:
    """Measure (n,) float samples; never fails."""
    finite = bool(np.isfinite(wave).all())
    samples = np.nan_to_num(np.asarray(wave, dtype=np.float64), posinf=1.0, neginf=-1.0)
    centred = samples - samples.mean() if len(samples) else samples
    levels = _levels_db(centred, round(_WINDOW_S * sample_rate))
    edge = round(_EDGE_S * sample_rate)
    loud = float(np.percentile(levels, _LOUD_PERCENTILE)) if len(levels) else _FLOOR_DB
    audible = np.flatnonzero((levels > levels.max(initial=_FLOOR_DB) + _SILENCE_DB) & (levels > _FLOOR_DB))
    pause = int(np.diff(audible).max(initial=1)) - 1
    return Signal(
        seconds=len(samples) / sample_rate,
        finite=finite,
        clipping=quality.clipping_fraction(samples[:, None]) if len(samples) else 0.0,
        offset=float(abs(samples.mean())) if len(samples) else 0.0,
        silence=1.0 - len(audible) / max(len(levels), 1),
        longest_pause_s=pause * _WINDOW_S,
        edge_db=(_level_db(centred[:edge]) - loud, _level_db(centred[-edge:]) - loud) if len(audible) else (_FLOOR_DB, _FLOOR_DB),
    )


def _levels_db(samples: np.ndarray, window: int) -> np.ndarray:
    """(n,) -> (windows,) levels in dBFS; the last window is aligned to the end, so that it is whole."""
    if not len(samples):
        return np.zeros(0)
    last = max(len(samples) - window, 0)
    return np.array([_level_db(samples[start : start + window]) for start in (*range(0, last, window), last)])


def _level_db(samples: np.ndarray) -> float:
    return 10.0 * float(np.log10(max(float(np.square(samples).mean()), 10.0 ** (_FLOOR_DB / 10.0))))
