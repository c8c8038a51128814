"""What an adaptation learns from: recorded utterances with aligned symbols."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from trainer.audio import features
from trainer.dataset.loading import Utterance
from trainer.errors import DataError
from trainer.models.acoustic import Speaker
from trainer.models.acoustic.examples import Example
from trainer.models.acoustic.speaker import measure
from trainer.training import control_voice


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """One utterance and what is said in it: symbols (P,) int64, word_starts (P,) bool, frames (P,) int64 adding up to its mel frames."""

    utterance: Utterance
    symbols: torch.Tensor
    word_starts: torch.Tensor
    frames: torch.Tensor
    confidence: float = 1.0

    def __post_init__(self) -> None:
        if not len(self.symbols) == len(self.word_starts) == len(self.frames):
            raise ValueError("symbols, word_starts and frames differ in length")
        if int(self.frames.sum()) != self.utterance.features.mel.shape[1]:
            raise ValueError("the symbols' frames do not add up to the utterance's")

    @property
    def duration_s(self) -> float:
        """Seconds."""
        return self.utterance.seconds


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
