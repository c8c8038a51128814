"""A wrong voice to judge training by: the held-out speech itself as somebody else would say it, without any other recording.

WORLD (Morise et al. 2016) takes an utterance apart; its spectral envelope is stretched along frequency, as by a vocal tract of another
length, its F0 is moved, and it is put together again. A vocoder that merely got better at all speech gains as much here as on the target;
one that learnt the target gains clearly less. Words, level and length stay those of the target, so nothing else differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyworld
import torch

from trainer.audio.features import HOP, SAMPLE_RATE
from trainer.dataset import loading
from trainer.dataset.loading import Utterance

FRAME_PERIOD_MS = 1000.0 * HOP / SAMPLE_RATE


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlVoice:
    """How the speaker is changed."""

    f0_ratio: float
    formant_ratio: float
    """Above 1: formants move up (a shorter vocal tract)."""


LOWER = ControlVoice(f0_ratio=0.6, formant_ratio=0.83)
HIGHER = ControlVoice(f0_ratio=1.7, formant_ratio=1.2)
SPLIT_HZ = 150.0
"""About between the medians of male and female speech: above it the control speaks lower, else higher."""


def choose(median_f0: float) -> ControlVoice:
    """The control voice for a target with this median F0 in Hz."""
    return LOWER if median_f0 > SPLIT_HZ else HIGHER


def render(target: Sequence[Utterance], voice: ControlVoice | None = None) -> list[Utterance]:
    """Each utterance in the control voice, at its own level."""
    voice = voice or choose(median_f0_hz(target))
    return [convert(utterance, voice) for utterance in target]


def convert(utterance: Utterance, voice: ControlVoice) -> Utterance:
    """One utterance as the other speaker would say it."""
    wave = utterance.wave.numpy().astype(np.float64)
    f0 = (utterance.features.f0 * utterance.features.voicing).numpy().astype(np.float64)
    times = np.arange(len(f0)) * FRAME_PERIOD_MS / 1000.0
    envelope = np.log(pyworld.cheaptrick(wave, f0, times, SAMPLE_RATE))
    aperiodicity = pyworld.d4c(wave, f0, times, SAMPLE_RATE)
    stretched = np.exp(stretch(envelope, voice.formant_ratio))
    other = pyworld.synthesize(
        f0 * voice.f0_ratio, stretched, stretch(aperiodicity, voice.formant_ratio), SAMPLE_RATE, FRAME_PERIOD_MS
    )[: len(wave)]
    other = np.pad(other, (0, len(wave) - len(other)))
    level = rms(other)
    scaled = other * (rms(wave) / level) if level > 0 else other
    return loading.from_wave(np.clip(scaled, -1.0, 1.0).astype(np.float32))


def stretch(spectra: np.ndarray, ratio: float) -> np.ndarray:
    """(frames, bins) -> same: what stood at bin k stands at ratio * k; beyond the last bin its value goes on."""
    bins = np.arange(spectra.shape[1])
    source = np.clip(bins / ratio, 0, spectra.shape[1] - 1)
    return np.stack([np.interp(source, bins, row) for row in spectra])


def median_f0_hz(utterances: Sequence[Utterance]) -> float:
    """Median over voiced frames; 0 where none is voiced."""
    voiced = [utterance.features.f0[utterance.features.voicing > 0] for utterance in utterances]
    joined = torch.cat(voiced)
    return float(joined.median()) if len(joined) else 0.0


def rms(wave: np.ndarray) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(wave, dtype=np.float64))))
