"""How one decoder learns from many readers: from all of them at once, against discriminators that learn beside it.

The base's own voice is rehearsed: a decoder that forgets it speaks every voice worse.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from trainer.backbones.natural import segments
from trainer.backbones.natural.discriminators import Discriminators, deceiving_loss, matching_loss, telling_loss
from trainer.backbones.natural.losses import spectral_loss
from trainer.backbones.natural.segments import Prepared, Segments
from trainer.models.natural import Melody, NaturalModel, sound
from trainer.models.natural.many_speakers import ManySpeakers
from trainer.training import determinism
from trainer.training.loop import Loop, Pace

_READERS_A_STEP = 4
_FRAMES = 112
_JUDGED = slice(16 * sound.HOP, 96 * sound.HOP)
"""The middle of a piece: what the decoder makes of its ends lacks what lies beyond them."""
_HIGHEST_HZ, _BASE_HIGHEST_HZ = 7600.0, 11_000.0
"""What was recorded of the readers (16 kHz), and what the base speaks."""
_PEAKS = {"maps": 1e-3, "decoder": 2e-4}
"""The maps begin with nothing, the decoder with nearly all it needs."""
_WARMUP = 20
_JUDGES_RATE = 5e-4
_BETAS = (0.8, 0.99)
_DECEIVING = 0.25
_REHEARSED_EVERY = 4
_TOLD_EVERY = 100

Log = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedReader:
    """Whom the decoder learns from: a name, prepared utterances, and a GE2E vector (256,) of length 1."""

    name: str
    pieces: tuple[Prepared, ...]
    vector: torch.Tensor


def learn(
    readers: Sequence[PreparedReader], base: NaturalModel, own: torch.Tensor, *, steps: int, seed: int, log: Log
) -> ManySpeakers:
    """The running average of the weights after so many steps; `own` is the vector (256,) of the base's voice.

    Raises TrainingError(non_finite_loss).
    """
    lessons = _Lessons(readers=readers, base=base, own=own, steps=steps, seed=seed, log=log)
    lessons.train_to_the_end()
    return lessons.average


@dataclass(slots=True, kw_only=True)
class _Lessons(Loop):
    """The loop: `average` then is what was learnt."""

    readers: Sequence[PreparedReader]
    base: NaturalModel
    own: torch.Tensor
    steps: int
    seed: int
    log: Log
    model: ManySpeakers = field(init=False)
    average: ManySpeakers = field(init=False)
    _judges: Discriminators = field(init=False)
    _judges_optimizer: torch.optim.AdamW = field(init=False)
    _choice: np.random.Generator = field(init=False)
    _drawing: torch.Generator = field(init=False)

    def __post_init__(self) -> None:
        self.model = ManySpeakers.untrained(self.base.config, seed=self.seed).train()
        self.model.decoder.load_state_dict(self.base.decoder.state_dict())
        # NumPy adds reader by reader; torch may sum in another order.
        self.model.centre.copy_(torch.from_numpy(np.mean([one.vector.numpy() for one in self.readers], axis=0)))
        self.average = copy.deepcopy(self.model).eval().requires_grad_(False)
        self.pace = Pace(
            steps=self.steps, peaks=_PEAKS, warmup=_WARMUP, evaluate_every=_TOLD_EVERY, clip=5.0, decay=0.995
        )
        parts = {"maps": self.model.maps, "decoder": self.model.decoder}
        self.begin([{"params": list(part.parameters()), "part": name} for name, part in parts.items()], betas=_BETAS)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            self._judges = Discriminators()
        self._judges_optimizer = torch.optim.AdamW(self._judges.parameters(), lr=_JUDGES_RATE, betas=_BETAS)
        self._choice, self._drawing = np.random.default_rng(self.seed), determinism.generator(self.seed)

    def rates(self) -> dict[str, float]:
        """Half a cosine from the first step on, the warm-up on top of it."""
        share = 0.5 * (1 + math.cos(math.pi * self.step / self.steps)) * min(1, self.step / _WARMUP)
        return {part: peak * share for part, peak in self.pace.peaks.items()}

    def gradient(self) -> float:
        """Of the loss on a piece of each of some readers, and now and then on the base's own voice."""
        chosen = [self.readers[index] for index in self._choice.choice(len(self.readers), _READERS_A_STEP)]
        drawn = _together([self._drawn(one) for one in chosen])
        with self.model.speaking_as(torch.stack([one.vector for one in chosen])):
            made = drawn.said_by(self.model)
        spectral = spectral_loss(made, drawn.wave, _HIGHEST_HZ)
        speech, heard = (self._judges(wave[:, _JUDGED], _HIGHEST_HZ) for wave in (drawn.wave, made))
        lesson = torch.autograd.grad(telling_loss(speech, heard), list(self._judges.parameters()), retain_graph=True)
        loss = spectral + _DECEIVING * deceiving_loss(heard) + matching_loss(speech, heard)
        if self.step % _REHEARSED_EVERY == 0:
            loss = loss + self._rehearsal(self._drawn(chosen[0]))
        self.backward(loss)
        for parameter, gradient in zip(self._judges.parameters(), lesson, strict=True):
            parameter.grad = gradient
        self._judges_optimizer.step()
        return float(spectral.detach())

    def backward(self, loss: torch.Tensor) -> float:
        """As `Loop.backward`, but not into the judges."""
        value = float(loss.detach())
        self.require_finite(value, "loss")
        loss.backward(inputs=list(self.model.parameters()))
        return value

    def evaluate(self) -> None:
        """Tell the mean spectral loss since the last time; nothing is held out."""
        self.log(f"step {self.step} of {self.steps}: spectral loss {np.mean(self.recent):.4f}")
        self.recent.clear()

    def _drawn(self, reader: PreparedReader) -> Segments:
        return segments.draw(reader.pieces, size=1, frames=_FRAMES, generator=self._drawing)

    def _rehearsal(self, drawn: Segments) -> torch.Tensor:
        """How far the base's own voice has moved in saying this."""
        with torch.no_grad():
            wanted = drawn.said_by(self.base)
        with self.model.speaking_as(self.own[None]):
            made = drawn.said_by(self.model)
        return spectral_loss(made, wanted, _BASE_HIGHEST_HZ)


def _together(drawn: Sequence[Segments]) -> Segments:
    """Several of batch 1 -> one batch."""
    f0, energy = (torch.cat(column) for column in zip(*(one.melody for one in drawn), strict=True))
    text, wave, noise = (torch.cat([getattr(one, name) for one in drawn]) for name in ("text", "wave", "noise"))
    return Segments(text=text, melody=Melody(f0=f0, energy=energy), wave=wave, noise=noise)
