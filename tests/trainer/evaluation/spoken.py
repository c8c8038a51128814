"""A wave that says a text, as the tests of this folder judge it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """(n,) float32 samples, and what they say."""

    name: str
    wave: np.ndarray
    sample_rate: int
    text: str
