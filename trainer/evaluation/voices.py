"""Voices of this project as the benchmark calls them: a checkpoint that speaks, its vocoder alone, and the base it started from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soxr
import torch

from trainer.audio import features
from trainer.dataset import loading
from trainer.errors import TrainingError
from trainer.evaluation.benchmark import Copy
from trainer.evaluation.rivals import Speak
from trainer.files import checkpoint
from trainer.files.checkpoint import CheckpointError
from trainer.models.acoustic import Speaker
from trainer.models.vocoder import Vocoder
from trainer.models.vocoder.copy_synthesis import NOISE_SEED
from trainer.models.vocoder.copy_synthesis import synthesise as resynthesise
from trainer.synthesis.voice import Voice
from trainer.voice import base
from trainer.voice.document import restore


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A voice to judge: it speaks, its vocoder copies, and `sha256` says which file it was."""

    speak: Speak
    copy: Copy
    sha256: str
    speaker: Speaker


def from_checkpoint(path: Path) -> Candidate:
    """The voice of a checkpoint; raises TrainingError with the cause of a refusal."""
    try:
        document, sha256 = checkpoint.read_with_sha256(path)
        found = restore(document)
    except CheckpointError as error:
        raise TrainingError(f"{path}: {error}", cause=error.cause) from error
    return Candidate(
        speak=_speak(Voice(found.acoustic, found.speaker, found.vocoder)),
        copy=copier(found.vocoder),
        sha256=sha256,
        speaker=found.speaker,
    )


def before_adaptation(adapted: Candidate) -> Candidate:
    """The base told of the same speaker, but not trained on it; raises RuntimeSetupError where no base is installed."""
    models = base.load()
    # The affine map of spectra is part of what adaptation finds; the embedding and the means are measured.
    speaker = replace(
        adapted.speaker,
        mel_gain=torch.ones(features.MELS),
        mel_shift=torch.zeros(features.MELS),
        f0_gain=torch.ones(()),
    )
    return Candidate(
        speak=_speak(Voice(models.acoustic, speaker, models.vocoder)),
        copy=copier(models.vocoder),
        sha256=", ".join(f"{name} {digest}" for name, digest in sorted(base.hashes().items())),
        speaker=speaker,
    )


def copier(vocoder: Vocoder) -> Copy:
    """Speech taken apart into mel, F0 and voicing, and put together again by the vocoder."""

    def copy(wave: np.ndarray, rate: int) -> tuple[np.ndarray, int]:
        samples = soxr.resample(np.ascontiguousarray(wave, dtype=np.float32), rate, features.SAMPLE_RATE, quality="HQ")
        made = resynthesise(vocoder, loading.from_wave(samples), seed=NOISE_SEED)
        return made[0].numpy(), features.SAMPLE_RATE

    return copy


def _speak(voice: Voice) -> Speak:
    def speak(text: str) -> tuple[np.ndarray, int]:
        speech = voice.say(text)
        return speech.wave, speech.sample_rate

    return speak
