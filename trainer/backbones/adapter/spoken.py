"""What of an utterance the acoustic model learns from: its speaker, its example, the same in a wrong voice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from trainer.audio import features
from trainer.backbones.fitting_speech import Spoken
from trainer.errors import DataError
from trainer.models.acoustic import Speaker
from trainer.models.acoustic.examples import Example
from trainer.models.acoustic.speaker import measure
from trainer.training import control_voice


def speaker_of(spoken: Sequence[Spoken], embedding: torch.Tensor) -> Speaker:
    """The speaker of some utterances; raises DataError(too_little_speech) for none."""
    if not spoken:
        raise DataError("there is no utterance to adapt to; record more speech", cause="too_little_speech")
    return measure([(one.utterance.features, one.symbols, one.frames) for one in spoken], embedding)


def example(spoken: Spoken, speaker: Speaker) -> Example:
    """As the acoustic model learns from it."""
    found = spoken.utterance.features
    return Example(
        symbols=spoken.symbols,
        word_starts=spoken.word_starts,
        frames=spoken.frames,
        mel=found.mel,
        f0=found.f0,
        voicing=found.voicing,
        speaker=speaker,
        bands=torch.ones(features.MELS),
        weight=spoken.confidence,
    )


def in_control_voice(spoken: Sequence[Spoken]) -> list[Spoken]:
    """The same words at the same times, said by somebody else."""
    others = control_voice.render([one.utterance for one in spoken])
    return [replace(one, utterance=other) for one, other in zip(spoken, others, strict=True)]
