"""Utterances as MusicGen sees them: EnCodec tokens and the condition that a prompt gives.

They pass through the decoder one at a time: no padding, and the memory of a step does not grow with the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from trainer.backbones.musicgen import delay
from trainer.backbones.musicgen.base import MusicgenBase
from trainer.files.printable import masked

NEUTRAL_PROMPT = "a person speaking, clear voice, no music"
_MAX_SPOKEN = 400  # characters: about what is said in half a minute


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One utterance: codes (codebooks, frames) int64, condition (length, hidden) float32."""

    codes: torch.Tensor
    condition: torch.Tensor


def prompt(transcript: str) -> str:
    """The text prompt of an utterance; without a transcript a neutral one."""
    said = " ".join(masked(transcript, " ").split())[:_MAX_SPOKEN]
    return f"a person says: {said}" if said else NEUTRAL_PROMPT


def encode(base: MusicgenBase, wave: np.ndarray, transcript: str, *, max_seconds: float) -> Example:
    """An example from (samples,) float32 at 22.05 kHz, cut after `max_seconds`."""
    codes = base.tokens(wave)[:, : int(max_seconds * base.frame_rate)]
    return Example(codes=codes, condition=base.condition(prompt(transcript)))


def random_batch(
    examples: Sequence[Example], *, size: int, prompt_dropout: float, generator: torch.Generator
) -> list[Example]:
    """`size` utterances, drawn by length so that every moment of speech is equally likely; some of them lose their prompt."""
    lengths = torch.tensor([example.codes.shape[1] for example in examples], dtype=torch.float64)
    picks = torch.multinomial(lengths, size, replacement=True, generator=generator)
    drops = torch.rand(size, generator=generator) < prompt_dropout
    return [
        without_prompt(examples[pick]) if drop else examples[pick]
        for pick, drop in zip(picks.tolist(), drops.tolist(), strict=True)
    ]


def without_prompt(example: Example) -> Example:
    """The same speech with the condition that MusicGen takes for none: attention over zeros, which adds nothing."""
    return Example(codes=example.codes, condition=torch.zeros_like(example.condition[:1]))


def loss(base: MusicgenBase, example: Example) -> torch.Tensor:
    """Cross entropy of one utterance in nats a token."""
    inputs, labels = delay.arrange(example.codes, start_token=base.start_token)
    device = base.model.device
    outputs = base.decoder(
        input_ids=inputs.to(device), encoder_hidden_states=example.condition[None].to(device), use_cache=False
    )
    return delay.cross_entropy(outputs.logits, labels.to(device))
