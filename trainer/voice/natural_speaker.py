"""What is known of the speaker of a natural voice."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any


def _between(low: float, high: float) -> Any:
    return field(default=1.0, metadata={"bounds": (low, high)})


@dataclass(frozen=True, slots=True, kw_only=True)
class NaturalSpeaker:
    """How the base's melody becomes this speaker's; factors, 1 leaves it as it is."""

    f0: float = _between(0.2, 5.0)
    """On F0 in Hz."""
    liveliness: float = _between(0.25, 4.0)
    """On log F0 around its mean."""
    rate: float = _between(0.25, 4.0)
    """On the pace: above 1 is faster."""

    def __post_init__(self) -> None:
        """Raises ValueError for what no speaker has."""
        for known in fields(self):
            value, (low, high) = getattr(self, known.name), known.metadata["bounds"]
            if not isinstance(value, float) or not math.isfinite(value) or not low <= value <= high:
                raise ValueError(f"the speaker's {known.name} is not a number from {low:g} to {high:g}")
