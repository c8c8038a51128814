"""The two stages of an adaptation: the decoder learns from spectra alone, then also from discriminators that learn beside it.

Text and melody stay as they are given (`prosody` fitted their last layers before): tuned as a whole on three minutes, the melody becomes
monotonous (deviation of log F0 0.11 instead of 0.28).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch

from trainer.backbones.natural import segments
from trainer.backbones.natural.discriminators import Discriminators, deceiving_loss, matching_loss, telling_loss
from trainer.backbones.natural.losses import spectral_loss
from trainer.backbones.natural.material import Said
from trainer.backbones.natural.segments import Prepared, Segments
from trainer.backbones.natural.settings import NaturalSettings
from trainer.models.natural import NaturalModel, sound
from trainer.training import determinism
from trainer.training.loop import Loop, Pace
from trainer.training.schedule import cosine

_BETAS = (0.8, 0.99)
"""AdamW's decay rates as usual for vocoders: the first is low because every batch asks for another direction."""
_NOISE_SEED = 20_240
DECODER = "decoder"


@dataclass(slots=True, kw_only=True)
class NaturalAdaptation(Loop):
    """`train_to_the_end` goes from wherever the state is to the last step; `average` then is what was learnt."""

    settings: NaturalSettings
    seed: int
    base: NaturalModel
    training: Sequence[Said]
    held_out: Sequence[Said]
    highest_hz: float
    model: NaturalModel = field(init=False)
    average: NaturalModel = field(init=False)
    kept: ClassVar[tuple[str, ...]] = ("step", "recent", "history")
    history: list[list[float | int | None]] = field(default_factory=list)
    """[step, training loss, held-out loss] of every evaluation; the spectral loss in both stages."""
    judges: Discriminators = field(init=False)
    judges_optimizer: torch.optim.AdamW = field(init=False)
    _pieces: list[Prepared] = field(init=False)
    _judged: list[Segments] = field(init=False)

    def __post_init__(self) -> None:
        chosen = self.settings
        self.model = copy.deepcopy(self.base).train().requires_grad_(False)
        self.model.decoder.requires_grad_(True)
        self.average = copy.deepcopy(self.base).eval().requires_grad_(False)
        self.pace = Pace(
            steps=chosen.steps, peaks={DECODER: chosen.learning_rate}, warmup=chosen.warmup_steps,
            evaluate_every=chosen.evaluate_every, save_every=chosen.save_every, decay=chosen.average,
        )  # fmt: skip
        self.begin(betas=_BETAS)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            self.judges = Discriminators()
        self.judges_optimizer = torch.optim.AdamW(
            self.judges.parameters(), lr=chosen.discriminator_learning_rate, betas=_BETAS
        )
        self._pieces = [segments.prepared(self.base, one) for one in self.training]
        self._judged = [
            segments.whole(one, segments.prepared(self.base, one), seed=_NOISE_SEED + index)
            for index, one in enumerate(self.held_out)
        ]

    @property
    def adversarial(self) -> bool:
        """Whether this step belongs to the second stage."""
        return self.step > self.settings.spectral_steps

    def parts(self) -> Mapping[str, list[torch.nn.Parameter]]:
        """The decoder alone."""
        return {DECODER: list(self.model.decoder.parameters())}

    def rates(self) -> dict[str, float]:
        """Each stage has its own peak and cools down by itself: the discriminators have to find something settled."""
        chosen = self.settings
        if self.adversarial:
            step, steps, peak = (
                self.step - chosen.spectral_steps,
                chosen.adversarial_steps,
                chosen.adversarial_learning_rate,
            )
        else:
            step, steps, peak = self.step, chosen.spectral_steps, chosen.learning_rate
        return {DECODER: cosine(step, steps=steps, peak=peak, warmup=chosen.warmup_steps)}

    def settle(self) -> None:
        """Let the average of the decoder follow; the rest never moves."""
        decay = min(self.pace.decay, self.step / (10 + self.step))
        with torch.no_grad():
            ours, theirs = (list(one.decoder.parameters()) for one in (self.average, self.model))
            torch._foreach_lerp_(ours, theirs, 1.0 - decay)

    def gradient(self) -> float:
        """Of this stage's loss on random pieces; what is drawn depends on the step alone."""
        generator = determinism.generator(self.seed * 1_000_003 + self.step)
        drawn = segments.draw(
            self._pieces, size=self.settings.batch, frames=self.settings.segment_frames, generator=generator
        )
        made = drawn.said_by(self.model)
        loss = spectral_loss(made, drawn.wave, self.highest_hz)
        if not self.adversarial:
            return self.backward(loss)
        # The middle: what the decoder makes of a piece's ends lacks what lies beyond them.
        start = (self.settings.segment_frames - self.settings.judged_frames) // 2 * sound.HOP
        span = slice(max(0, start), max(0, start) + self.settings.judged_frames * sound.HOP)
        recorded, imitated = drawn.wave[:, span], made[:, span]
        speech, heard = (self.judges(wave, self.highest_hz) for wave in (recorded, imitated))
        # Both sides learn from what was heard once: hearing it again with the judges' next weights costs a fifth of the step.
        lesson = self._lesson(telling_loss(speech, heard))
        deceived = self.settings.adversarial_weight * deceiving_loss(heard)
        self.backward(loss + deceived + self.settings.matching_weight * matching_loss(speech, heard))
        self._teach_judges(lesson)
        # Told is the spectral loss alone: a judge's opinion changes with the judge.
        return float(loss.detach())

    @torch.no_grad()
    def heldout_loss(self, model: NaturalModel) -> float:
        """Spectral loss of whole held-out utterances, weighted by their length."""
        losses = [float(spectral_loss(one.said_by(model), one.wave, self.highest_hz)) for one in self._judged]
        weights = [one.wave.shape[1] for one in self._judged]
        return sum(loss * weight for loss, weight in zip(losses, weights, strict=True)) / sum(weights)

    def evaluate(self) -> None:
        """Tell how far the average is; the last weights are kept, because this loss rises while the voice still gains."""
        found = self.heldout_loss(self.average)
        self.require_finite(found, "held-out loss")
        train = sum(self.recent) / len(self.recent) if self.recent else None
        self.recent.clear()
        self.history.append([self.step, train, found])
        self.hooks.on_evaluation({"step": self.step})

    def state(self) -> dict[str, Any]:
        """Also the discriminators."""
        judges = {"judges": self.judges.state_dict(), "judges_optimiser": self.judges_optimizer.state_dict()}
        return {**Loop.state(self), **judges}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from what `state` returned."""
        Loop.restore(self, state)
        self.judges.load_state_dict(state["judges"])
        self.judges_optimizer.load_state_dict(state["judges_optimiser"])

    def backward(self, loss: torch.Tensor) -> float:
        """As `Loop.backward`, to the decoder alone: the judges' share of the graph has been through already."""
        value = float(loss.detach())
        self.require_finite(value, "loss")
        loss.backward(inputs=self.parts()[DECODER])
        return value

    def _lesson(self, loss: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The gradient of the judges' own loss; what they heard stays for the decoder's."""
        self.require_finite(float(loss.detach()), "discriminators' loss")
        return torch.autograd.grad(loss, list(self.judges.parameters()), retain_graph=True)

    def _teach_judges(self, gradients: Sequence[torch.Tensor]) -> None:
        for parameter, gradient in zip(self.judges.parameters(), gradients, strict=True):
            parameter.grad = gradient
        self.judges_optimizer.step()
        self.judges_optimizer.zero_grad(set_to_none=True)
