"""Voices that a benchmark lets speak: of a checkpoint, of the base before adaptation, and of other programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import soxr
import torch

from trainer.audio import features
from trainer.dataset import loading
from trainer.models.vocoder import Vocoder
from trainer.models.vocoder.copy_synthesis import NOISE_SEED, synthesise
from trainer.synthesis import checkpoint_voice
from trainer.synthesis.narrator import Narrator
from trainer.synthesis.natural_voice import NaturalVoice
from trainer.synthesis.speaking import voice_refusals
from trainer.synthesis.voice import Voice
from trainer.teachers import espeak, flite
from trainer.voice import base, natural_base, shipped_files

Wave = tuple[np.ndarray, int]
"""(n,) float32 samples, and their rate in Hz."""
Speak = Callable[[str], Wave]

_FLITE_VOICES = ("slt", "rms")


def from_checkpoint(path: Path) -> Narrator:
    """The voice of a checkpoint; raises TrainingError with the cause of a refusal."""
    with voice_refusals(path):
        return checkpoint_voice.load(path)


def before_adaptation(adapted: Narrator) -> Narrator:
    """The base told of the same speaker, but not trained on it; raises RuntimeSetupError where no base is installed."""
    if isinstance(adapted, NaturalVoice):
        names = _listed(natural_base.hashes())
        return NaturalVoice(natural_base.load(), adapted.speaker, checkpoint_sha256=names)
    if not isinstance(adapted, Voice):
        raise TypeError(f"no base is known for a {type(adapted).__name__}")
    models = base.load()
    # The affine map of spectra is part of what adaptation finds; the embedding and the means are measured.
    speaker = replace(
        adapted.speaker,
        mel_gain=torch.ones(features.MELS),
        mel_shift=torch.zeros(features.MELS),
        f0_gain=torch.ones(()),
    )
    return Voice(models.acoustic, speaker, models.vocoder, checkpoint_sha256=_listed(shipped_files.hashes()))


def _listed(hashes: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {digest}" for name, digest in sorted(hashes.items()))


def spoken(voice: Narrator, text: str) -> Wave:
    """What the voice makes of a text."""
    speech = voice.say(text)
    return speech.wave, speech.sample_rate


def copied(vocoder: Vocoder, wave: np.ndarray, rate: int) -> Wave:
    """(n,) samples of speech taken apart into mel, F0 and voicing, and put together again by the vocoder."""
    samples = soxr.resample(np.ascontiguousarray(wave, dtype=np.float32), rate, features.SAMPLE_RATE, quality="HQ")
    made = synthesise(vocoder, loading.from_wave(samples), seed=NOISE_SEED)
    return made[0].numpy(), features.SAMPLE_RATE


def programs() -> Mapping[str, Speak]:
    """Other programs of this machine by name: flite only where it is installed."""
    found = {f"flite {name}": partial(_flite, name) for name in _FLITE_VOICES if flite.available()}
    return {**found, "espeak-ng": espeak.speak}


def _flite(voice: str, text: str) -> Wave:
    spoken = flite.speak(text, voice)
    return spoken.wave, spoken.sample_rate
