"""Where a recording has speech: one probability and one level per window of 32 ms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

WINDOW_S = 0.032


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechTrack:
    """What is known of a recording per window: speech probability and level in dBFS, both (windows,) float32, and the whole duration."""

    probabilities: np.ndarray
    levels_db: np.ndarray
    duration_s: float
