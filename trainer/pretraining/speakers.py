"""Pseudo speakers: one synthetic voice moved in formants, pitch, melody and rate gives many.

Formants move by playing the voice at another rate; the synthesiser's own controls undo that change's effect on pitch and duration, so that
no vocoder is in the way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_KNOTS_HZ = (0.0, 150.0, 500.0, 1500.0, 3500.0, 7000.0, 11_025.0)
_GOLDEN = 0.618034  # multiples of it spread evenly over the unit interval, however many there are


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """How one pseudo speaker sounds.

    `voice` is flite's; `warp` multiplies all formants; `f0_hz` and `f0_range_hz` are what is heard; `stretch` multiplies durations; `tone_db`
    shapes the spectrum at fixed frequencies; `noise_db` is the level of the room's noise in dBFS; `weight` says how often it speaks.
    """

    name: str
    voice: str
    warp: float
    f0_hz: float
    f0_range_hz: float
    stretch: float
    tone_db: tuple[float, ...]
    noise_db: float
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Family:
    """A voice of flite, how many speakers are made of it, and the ranges they are drawn from."""

    voice: str
    plain_f0_hz: float
    count: int
    f0_hz: tuple[float, float]
    warp: tuple[float, float]
    share: float


_FAMILIES = (
    _Family(voice="slt", plain_f0_hz=165.0, count=28, f0_hz=(95.0, 260.0), warp=(0.82, 1.18), share=0.6),
    _Family(voice="rms", plain_f0_hz=99.0, count=18, f0_hz=(99.0, 99.0), warp=(0.84, 1.26), share=0.4),
)


def speakers(seed: int) -> tuple[Speaker, ...]:
    """All pseudo speakers; each family begins with its plain voice. Weights add up to 1."""
    made = []
    for family in _FAMILIES:
        rng = np.random.default_rng([seed, *family.voice.encode()])
        made += [_speaker(family, index, rng) for index in range(family.count)]
    return tuple(made)


def _speaker(family: _Family, index: int, rng: np.random.Generator) -> Speaker:
    plain = index == 0
    position = (index + rng.random()) / family.count
    # Formants and pitch go together in people, loosely.
    apart = 0.3 * position + 0.7 * ((index * _GOLDEN) % 1.0)
    warp = 1.0 if plain else float(family.warp[0] + (family.warp[1] - family.warp[0]) * apart)
    low, high = family.f0_hz
    f0_hz = family.plain_f0_hz if plain else float(low * (high / low) ** position)
    if family.voice == "rms":  # flite cannot set this voice's pitch: it moves with the formants
        f0_hz *= warp
    tone = rng.normal(0.0, 2.0, len(_KNOTS_HZ)) if not plain else np.zeros(len(_KNOTS_HZ))
    return Speaker(
        name=f"{family.voice}-{index:02d}",
        voice=family.voice,
        warp=round(warp, 4),
        f0_hz=round(f0_hz, 2),
        f0_range_hz=round(f0_hz * float(rng.uniform(0.08, 0.25)), 2),
        stretch=round(float(rng.uniform(0.85, 1.2)), 4),
        tone_db=tuple(round(float(value), 2) for value in tone),
        noise_db=round(float(rng.uniform(-78.0, -58.0)), 1),
        weight=family.share / family.count,
    )


def tone_filter(speaker: Speaker, sample_rate: int) -> np.ndarray:
    """Linear-phase filter (taps,) of the speaker's tone at `sample_rate` Hz."""
    from scipy.signal import firwin2

    frequencies = np.linspace(0.0, sample_rate / 2, 257)
    decibels = np.interp(np.sqrt(frequencies), np.sqrt(_KNOTS_HZ), speaker.tone_db)
    return firwin2(255, frequencies, 10.0 ** (decibels / 20.0), fs=sample_rate)
