"""Voices that a benchmark lets speak: of a checkpoint, of the base before adaptation, and of other programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np

from trainer.synthesis import checkpoint_voice
from trainer.synthesis.narrator import Narrator
from trainer.synthesis.natural_voice import NaturalVoice
from trainer.synthesis.speaking import voice_refusals
from trainer.teachers import espeak, flite
from trainer.voice import natural_base

Wave = tuple[np.ndarray, int]
"""(n,) float32 samples, and their rate in Hz."""
Speak = Callable[[str], Wave]

_FLITE_VOICES = ("slt", "rms")


def from_checkpoint(path: Path) -> NaturalVoice:
    """The voice of a checkpoint; raises TrainingError with the cause of a refusal."""
    with voice_refusals(path):
        return checkpoint_voice.load(path)


def before_adaptation(adapted: NaturalVoice) -> NaturalVoice:
    """The base told of the same speaker, but not trained on it; raises RuntimeSetupError where no base is installed."""
    names = ", ".join(f"{name} {digest}" for name, digest in sorted(natural_base.hashes().items()))
    return NaturalVoice(natural_base.load(), adapted.speaker, checkpoint_sha256=names)


def spoken(voice: Narrator, text: str) -> Wave:
    """What the voice makes of a text."""
    speech = voice.say(text)
    return speech.wave, speech.sample_rate


def programs() -> Mapping[str, Speak]:
    """Other programs of this machine by name: flite only where it is installed."""
    found = {f"flite {name}": partial(_flite, name) for name in _FLITE_VOICES if flite.available()}
    return {**found, "espeak-ng": espeak.speak}


def _flite(voice: str, text: str) -> Wave:
    spoken = flite.speak(text, voice)
    return spoken.wave, spoken.sample_rate
