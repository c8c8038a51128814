"""The proof that an adaptation learnt this speaker: held-out losses of base and voice, on the speaker and on somebody who says the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from trainer.acoustic import AcousticModel, Speaker
from trainer.acoustic.examples import AcousticBatch
from trainer.acoustic.optimise import heldout_losses
from trainer.adaptation.acoustic import batches
from trainer.adaptation.spoken import Spoken, example, in_control_voice, speaker_of
from trainer.learning_proof import proof

Embed = Callable[[np.ndarray], np.ndarray]
"""(n,) float32 at 22.05 kHz -> (256,)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What every voice of this speaker starts from: held-out speech of the target and of a wrong voice, and the base's losses on both."""

    target: Sequence[AcousticBatch]
    control: Sequence[AcousticBatch]
    target_loss: float
    control_loss: float
    utterances: int


def measure_start(base: AcousticModel, held_out: Sequence[Spoken], *, speaker: Speaker, embed: Embed) -> Start:
    """The half of the proof that needs no trained weights.

    Base and voice are given the speaker's statistics and embedding, and the control voice's own: whoever merely became better at speech
    gains on both. Only the spectrum counts (mel L1 in nepers): words, melody and times are those of the target in both.
    """
    wrong = in_control_voice(held_out)
    other = speaker_of(wrong, mean_embedding(wrong, embed))
    target = batches([example(one, speaker) for one in held_out])
    control = batches([example(one, other) for one in wrong])
    return Start(
        target=target,
        control=control,
        target_loss=heldout_losses(base, target)["mel"],
        control_loss=heldout_losses(base, control)["mel"],
        utterances=len(held_out),
    )


def losses(start: Start, trained: AcousticModel) -> dict[str, Any]:
    """Losses under the keys of the `learning` block."""
    target = start.target_loss, heldout_losses(trained, start.target)["mel"]
    control = start.control_loss, heldout_losses(trained, start.control)["mel"]
    return {**proof(target, control), "heldout_utterances": start.utterances}


def mean_embedding(spoken: Sequence[Spoken], embed: Embed) -> torch.Tensor:
    """(256,) mean over utterances."""
    return torch.from_numpy(
        np.mean([embed(one.utterance.wave.numpy()) for one in spoken], axis=0).astype(np.float32)
    )
