"""How a text is to be spoken."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from trainer.errors import RuntimeSetupError

SAMPLE_RATE = 24_000
"""Of the voices, in Hz; every other rate is resampled from it."""
SAMPLE_RATES = (8_000, 16_000, 22_050, SAMPLE_RATE, 44_100, 48_000)

BOUNDS = {"rate": (0.5, 2.0), "pitch": (-12.0, 12.0), "pause": (0.0, 5.0), "liveliness": (0.0, 2.0)}
"""What each value may be; beyond, a voice sounds like none that it learnt from."""
LARGEST_SEED = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Values outside BOUNDS raise RuntimeSetupError(settings_invalid)."""

    rate: float = 1.0
    """Above 1 speaks faster."""
    pitch: float = 0.0
    """Semitones up (or, negative, down)."""
    pause: float = 1.0
    """Factor on every pause, within sentences and between them."""
    liveliness: float = 1.0
    """Factor on the melody around its mean: 0 is monotone."""
    seed: int = 0
    """Of the noise in breathy and unvoiced sounds: equal seeds give equal bytes."""
    sample_rate: int | None = None
    """Hz, one of SAMPLE_RATES; None: the voice's own."""

    def __post_init__(self) -> None:
        for name, (low, high) in BOUNDS.items():
            value = getattr(self, name)
            if not math.isfinite(value) or not low <= value <= high:
                raise RuntimeSetupError(f"{name}={value} is outside {low}..{high}", cause="settings_invalid")
        if not 0 <= self.seed <= LARGEST_SEED:
            raise RuntimeSetupError(f"seed={self.seed} is outside 0..{LARGEST_SEED}", cause="settings_invalid")
        if self.sample_rate not in (None, *SAMPLE_RATES):
            raise RuntimeSetupError(
                f"sample_rate={self.sample_rate} is none of {', '.join(map(str, SAMPLE_RATES))}",
                cause="settings_invalid",
            )


def differences(one: Mapping[str, float] | None, other: Mapping[str, float] | None) -> str:
    """The settings that differ, as `pitch 0 and 5`; a missing one is unknown. Empty if none does."""
    one, other = one or {}, other or {}
    names = [name for name in {**one, **other} if one.get(name) != other.get(name)]
    return ", ".join(f"{name} {_shown(one.get(name))} and {_shown(other.get(name))}" for name in names)


def _shown(value: float | None) -> str:
    return "unknown" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
