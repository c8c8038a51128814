"""How alike a clip and a speaker sound: the cosine of their speaker vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trainer.errors import DataError
from trainer.evaluation.judging import Judged

WORST = 0.0
"""Of a clip in which no voice was heard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A real clip of the speaker that others are compared with."""

    id: str
    audio_sha256: str
    vector: np.ndarray
    """Speaker vector (d,) of length 1."""


def reference(one: Judged) -> Reference:
    """A judged real clip as one to compare with; raises DataError(no_usable_speech)."""
    if one.vector is None:
        raise DataError(
            f"{one.item.path}: {', '.join(one.faults) or 'no speech'}; the reference needs clips with speech",
            cause="no_usable_speech",
        )
    return Reference(id=one.item.id, audio_sha256=one.audio_sha256, vector=one.vector)


def of(one: Judged, references: Sequence[Reference]) -> float:
    """Mean cosine to the reference; the very same file among them does not count, nor what the clip was made from."""
    if one.vector is None:
        return WORST
    own = (one.audio_sha256, one.item.made_from)
    others = [other.vector for other in references if other.audio_sha256 not in own]
    if not others:
        raise DataError(
            f"{one.item.id} is the only reference clip itself; give real clips beside it", cause="reference_too_small"
        )
    return mean_cosine(one.vector, np.stack(others))


def mean_cosine(vector: np.ndarray, references: np.ndarray) -> float:
    """Mean cosine of one speaker vector (d,) to several (n, d), all of length 1; GE2E's lie in [0, 1]."""
    return float(np.clip((references.astype(np.float64) @ vector.astype(np.float64)).mean(), -1.0, 1.0))
