"""How much one voice sounds like another, by the cosine of speaker vectors."""

from __future__ import annotations

import numpy as np


def mean_cosine(vector: np.ndarray, references: np.ndarray) -> float:
    """Mean cosine of one speaker vector (d,) to several (n, d), all of length 1; GE2E's lie in [0, 1]."""
    return float(np.clip((references.astype(np.float64) @ vector.astype(np.float64)).mean(), -1.0, 1.0))


def pieces(wave: np.ndarray, length: int) -> list[np.ndarray]:
    """(n,) -> consecutive pieces of `length` samples; a rest goes, a shorter wave stays whole.

    Short utterances score lower than long ones by nature: a fair ceiling is made of pieces as long as what it is compared with.
    """
    return [wave[start : start + length] for start in range(0, len(wave) - length + 1, length)] or [wave]
