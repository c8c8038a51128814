"""A wrong voice to judge training by: synthetic speech far from the target, the same on every machine and without any download.

A vocoder that merely got better at all speech gains as much here as on the target; one that learnt the target gains clearly less.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import soxr
import torch

from trainer import dataset, espeak
from trainer.dataset import Utterance
from trainer.espeak import SpeechRequest
from trainer.features import SAMPLE_RATE

SENTENCES = (
    "The ferry leaves the harbour at seven and comes back before the evening tide.",
    "Please weigh the flour twice, because a good loaf forgives very little.",
    "Which of those five old bridges would you choose to walk across in a storm?",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlVoice:
    """How espeak-ng speaks the control sentences."""

    voice: str
    pitch: int
    rate_wpm: int = 165


LOW = ControlVoice(voice="en-us+m3", pitch=25)
HIGH = ControlVoice(voice="en-us+f4", pitch=85)
SPLIT_HZ = 125.0
"""Above this median F0 the control speaks low, else high. Measured on voices at 97, 160 and 207 Hz: training made the low voice worse for
every human target, the high one only for targets well below it."""


def choose(median_f0_hz: float) -> ControlVoice:
    """The control voice for a target with this median F0."""
    return LOW if median_f0_hz > SPLIT_HZ else HIGH


def render(target: Sequence[Utterance]) -> list[Utterance]:
    """The control sentences at the target's level; raises RuntimeSetupError where espeak-ng cannot speak."""
    voice = choose(median_f0_hz(target))
    level = rms(torch.cat([utterance.wave for utterance in target]).numpy())
    requests = [
        SpeechRequest(text=sentence, voice=voice.voice, rate_wpm=voice.rate_wpm, pitch=voice.pitch)
        for sentence in SENTENCES
    ]
    utterances = []
    for wave, rate in espeak.speak_all(requests):
        wave = soxr.resample(wave, rate, SAMPLE_RATE) if rate != SAMPLE_RATE else wave
        utterances.append(dataset.from_wave(np.clip(wave * (level / rms(wave)), -1.0, 1.0)))
    return utterances


def median_f0_hz(utterances: Sequence[Utterance]) -> float:
    """Median over voiced frames; 0 where none is voiced."""
    voiced = [utterance.features.f0[utterance.features.voicing > 0] for utterance in utterances]
    joined = torch.cat(voiced)
    return float(joined.median()) if len(joined) else 0.0


def rms(wave: np.ndarray) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(wave, dtype=np.float64))))


def check() -> None:
    """Speak one word; raises RuntimeSetupError where espeak-ng is missing or broken."""
    espeak.speak("ready", LOW.voice, rate_wpm=LOW.rate_wpm, pitch=LOW.pitch)
