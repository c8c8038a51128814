"""What one step hears: random pieces of the training utterances, as the decoder takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from trainer.backbones.natural.material import Said
from trainer.models.natural import Melody, NaturalModel, sound
from trainer.models.natural.many_speakers import ManySpeakers
from trainer.models.natural.model import spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An utterance as the frozen networks see it: text (frames, width), F0 and energy (frames,), wave (frames * HOP,)."""

    text: torch.Tensor
    f0: torch.Tensor
    energy: torch.Tensor
    wave: torch.Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
    """Pieces of equal length: text (batch, frames, width), melody, wave (batch, frames * HOP), noise (batch, BINS, frames)."""

    text: torch.Tensor
    melody: Melody
    wave: torch.Tensor
    noise: torch.Tensor

    def said_by(self, model: NaturalModel | ManySpeakers) -> torch.Tensor:
        """The pieces as the decoder speaks them: (batch, frames * HOP)."""
        return sound.synthesise(model.decoder(self.text, self.melody), self.melody.f0, self.noise)


@torch.no_grad()
def prepared(model: NaturalModel, said: Said) -> Prepared:
    """The text's encoding does not change while the decoder learns, so it is computed once."""
    text = spread(model.text(said.symbols[None]), said.frames)[0]
    return Prepared(text=text.contiguous(), f0=said.f0, energy=said.energy, wave=said.wave)


def draw(utterances: Sequence[Prepared], *, size: int, frames: int, generator: torch.Generator) -> Segments:
    """Every moment of speech is equally likely; what is shorter than a piece is followed by silence."""
    lengths = torch.tensor([len(one.f0) for one in utterances], dtype=torch.float64)
    picks = torch.multinomial(lengths, size, replacement=True, generator=generator).tolist()
    offsets = torch.rand(size, generator=generator, dtype=torch.float64).tolist()
    pieces = [_piece(utterances[pick], frames, offset) for pick, offset in zip(picks, offsets, strict=True)]
    text, f0, energy, wave = (torch.stack(column) for column in zip(*pieces, strict=True))
    parts = torch.randn(2, size, sound.BINS, frames, generator=generator)
    return Segments(text=text, melody=Melody(f0=f0, energy=energy), wave=wave, noise=torch.complex(parts[0], parts[1]))


def whole(said: Said, prepared: Prepared, *, seed: int) -> Segments:
    """A whole utterance, its noise drawn from `seed`."""
    noise = sound.white_noise(len(said.f0), np.random.default_rng(seed))
    return Segments(text=prepared.text[None], melody=said.melody, wave=said.wave[None], noise=noise[None])


def _piece(one: Prepared, frames: int, offset: float) -> tuple[torch.Tensor, ...]:
    start = int(offset * (max(len(one.f0) - frames, 0) + 1))
    missing = max(0, frames - len(one.f0))
    span = slice(start, start + frames)
    quiet = float(one.energy.min())
    return (
        F.pad(one.text[span], (0, 0, 0, missing)),
        F.pad(one.f0[span], (0, missing)),
        F.pad(one.energy[span], (0, missing), value=quiet),
        F.pad(one.wave[start * sound.HOP : (start + frames) * sound.HOP], (0, missing * sound.HOP)),
    )
