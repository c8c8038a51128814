"""Pseudo speakers: one synthetic voice moved in formants, pitch, melody and rate gives many.

Formants move by playing the voice at another rate; the synthesiser's own controls undo that change's effect on pitch and duration, so that
no vocoder is in the way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FLITE, ESPEAK = "flite", "espeak"
_KNOTS_HZ = (0.0, 150.0, 500.0, 1500.0, 3500.0, 7000.0, 11_025.0)
_GOLDEN = 0.618034  # multiples of it spread evenly over the unit interval, however many there are
_PLAIN_F0_HZ = {"slt": 165.0, "rms": 99.0, "kal16": 110.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """How one pseudo speaker sounds.

    `warp` multiplies all formants; `f0_hz` and `f0_range_hz` are what is heard (0 for espeak-ng, which has a `pitch` from 0 to 100 instead);
    `stretch` multiplies durations; `tone_db` shapes the spectrum at fixed frequencies; `noise_db` is the level of the room's noise in
    dBFS; above `band_hz` the voice has no sound.
    """

    name: str
    kind: str
    voice: str
    warp: float
    f0_hz: float
    f0_range_hz: float
    pitch: int
    stretch: float
    tone_db: tuple[float, ...]
    noise_db: float
    band_hz: float
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Family:
    """A voice, how many speakers are made of it, and the ranges they are drawn from."""

    kind: str
    voices: tuple[str, ...]
    count: int
    f0_hz: tuple[float, float]
    warp: tuple[float, float]
    sample_rate: int
    share: float


_FAMILIES = (
    _Family(kind=FLITE, voices=("slt",), count=28, f0_hz=(95.0, 260.0), warp=(0.82, 1.18), sample_rate=16_000, share=0.6),
    _Family(kind=FLITE, voices=("rms",), count=18, f0_hz=(99.0, 99.0), warp=(0.84, 1.26), sample_rate=16_000, share=0.4),
    _Family(kind=FLITE, voices=("kal16",), count=4, f0_hz=(85.0, 170.0), warp=(0.9, 1.18), sample_rate=16_000, share=0.25),
    _Family(
        kind=ESPEAK,
        voices=(
            "en-us", "en-us+m1", "en-us+m3", "en-us+m7", "en-us+f1", "en-us+f2", "en-us+f3", "en-us+f5", "en-us+klatt2", "en-us+steph",
        ),
        count=10, f0_hz=(0.0, 0.0), warp=(0.92, 1.1), sample_rate=22_050, share=0.75,
    ),
)  # fmt: skip


def speakers(seed: int) -> tuple[Speaker, ...]:
    """All pseudo speakers; each family begins with its plain voices. Weights add up to 1 within exactly and within aligned speech."""
    made = []
    for family in _FAMILIES:
        rng = np.random.default_rng([seed, *family.voices[0].encode()])
        for index in range(family.count):
            made.append(_speaker(family, index, rng))
    return tuple(made)


def timed(speaker: Speaker) -> bool:
    """Whether the synthesiser says exactly when each phone is spoken; other speech goes through the aligner."""
    return speaker.kind == FLITE and speaker.voice != "kal16"


def _speaker(family: _Family, index: int, rng: np.random.Generator) -> Speaker:
    plain = index == 0 and family.kind == FLITE
    position = (index + rng.random()) / family.count
    # Formants and pitch go together in people, loosely.
    apart = 0.3 * position + 0.7 * ((index * _GOLDEN) % 1.0)
    warp = 1.0 if plain else float(family.warp[0] + (family.warp[1] - family.warp[0]) * apart)
    low, high = family.f0_hz
    f0_hz = _PLAIN_F0_HZ[family.voices[0]] if plain else float(low * (high / low) ** position) if low else 0.0
    if family.voices == ("rms",):  # flite cannot set this voice's pitch: it moves with the formants
        f0_hz *= warp
    tone = rng.normal(0.0, 2.0, len(_KNOTS_HZ)) if not plain else np.zeros(len(_KNOTS_HZ))
    voice = family.voices[index % len(family.voices)]
    return Speaker(
        name=f"{family.kind}-{voice.replace('en-us', 'en')}-{index:02d}",
        kind=family.kind,
        voice=voice,
        warp=round(warp, 4),
        f0_hz=round(f0_hz, 2),
        f0_range_hz=round(f0_hz * float(rng.uniform(0.08, 0.25)), 2),
        pitch=round(30 + 45 * ((index * _GOLDEN + 0.3) % 1.0)),
        stretch=round(float(rng.uniform(0.85, 1.2)), 4),
        tone_db=tuple(round(float(value), 2) for value in tone),
        noise_db=round(float(rng.uniform(-78.0, -58.0)), 1),
        band_hz=round(min(11_025.0, 0.5 * family.sample_rate * warp), 1),
        weight=family.share / family.count,
    )


def tone_filter(speaker: Speaker, sample_rate: int) -> np.ndarray:
    """Linear-phase filter (taps,) of the speaker's tone at `sample_rate` Hz."""
    from scipy.signal import firwin2

    frequencies = np.linspace(0.0, sample_rate / 2, 257)
    decibels = np.interp(np.sqrt(frequencies), np.sqrt(_KNOTS_HZ), speaker.tone_db)
    return firwin2(255, frequencies, 10.0 ** (decibels / 20.0), fs=sample_rate)
