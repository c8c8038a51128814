"""From text to a wave through the adapted model."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from trainer.backbones.musicgen import base as bases
from trainer.backbones.musicgen import document as documents
from trainer.backbones.musicgen import examples, weights
from trainer.backbones.musicgen.base import MusicgenBase

MAX_SECONDS = 30.0
"""What MusicGen was trained on; its positions mean nothing beyond."""
GUIDANCE, TOP_K = 3.0, 250


@dataclass(frozen=True, slots=True, kw_only=True)
class MusicgenVoice:
    """A base with its adapters, ready to speak."""

    base: MusicgenBase

    @classmethod
    def load(cls, checkpoint_path: Path, weights_directory: Path) -> MusicgenVoice:
        """Raises CheckpointError and RuntimeSetupError."""
        document = documents.load(checkpoint_path)
        base = bases.load(weights.inspect(weights_directory))
        documents.apply(document, base)
        return cls(base=base)

    def say(self, text: str, *, seconds: float, seed: int = 0) -> np.ndarray:
        """As `generate`."""
        return generate(self.base, text, seconds=seconds, seed=seed)


@torch.no_grad()
def generate(base: MusicgenBase, text: str, *, seconds: float, seed: int = 0) -> np.ndarray:
    """`text` spoken for `seconds` (MusicGen cannot know how long it takes): (samples,) float32 at 32 kHz; one seed, one wave.

    Raises ValueError for text without anything to say and for a length outside 0..MAX_SECONDS.
    """
    prompt = examples.prompt(text)
    if prompt == examples.NEUTRAL_PROMPT:
        raise ValueError("there is nothing to say in the text")
    if not 0.0 < seconds <= MAX_SECONDS:
        raise ValueError(f"seconds={seconds} is outside 0..{MAX_SECONDS:g}")
    frames = math.ceil(seconds * base.frame_rate)
    inputs = base.tokenizer(prompt, return_tensors="pt", truncation=True, max_length=bases.MAX_PROMPT_TOKENS)
    device = base.model.device
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        waves = base.model.generate(
            **inputs.to(device),
            do_sample=True,
            guidance_scale=GUIDANCE,
            top_k=TOP_K,
            # The delay takes a step for each codebook but the first.
            max_new_tokens=frames + base.codebooks - 1,
        )
    return waves[0, 0].float().clamp(-1.0, 1.0).cpu().numpy()
