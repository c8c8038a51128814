"""Fine-tuning of the acoustic model: all weights, each network until its own held-out loss stops falling, judged by a running average."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from trainer.backbones.adapter.settings import AdaptationSettings
from trainer.errors import TrainingError
from trainer.models.acoustic import AcousticModel
from trainer.models.acoustic.examples import AcousticBatch, Example, collate, epoch
from trainer.models.acoustic.optimise import Optimiser, cosine, heldout_losses
from trainer.training import determinism

JUDGED = {"frames": "mel", "prosody": "prosody"}
"""The held-out loss by which each network is judged; voicing over-fits within 50 steps and says little about the spectrum."""
_BATCH = 8


@dataclass(slots=True, kw_only=True)
class Part:
    """How far one of the two networks is."""

    best_loss: float
    kept_step: int = 0
    """Step of the weights that `finish` gives."""
    misses: int = 0
    stopped: bool = False


@dataclass(slots=True, kw_only=True)
class AcousticAdaptation:
    """The first phase; `step` makes one step, and `finish` leaves the kept weights of each network in `average`."""

    settings: AdaptationSettings
    seed: int
    base: AcousticModel
    training: Sequence[Example]
    held_out: Sequence[Example]
    done: int = 0
    model: AcousticModel = field(init=False)
    average: AcousticModel = field(init=False)
    optimiser: Optimiser = field(init=False)
    parts: dict[str, Part] = field(init=False)
    best: dict[str, torch.Tensor] = field(init=False)
    history: list[dict[str, float]] = field(default_factory=list)
    _recent: list[float] = field(default_factory=list)
    _batches: list[AcousticBatch] = field(init=False)

    def __post_init__(self) -> None:
        self.model = copy.deepcopy(self.base).train()
        self.average = copy.deepcopy(self.base).eval().requires_grad_(False)
        precision = torch.bfloat16 if self.settings.bfloat16 else torch.float32
        self.optimiser = Optimiser.of(self.model, precision=precision)
        self._batches = batches(self.held_out)
        start = heldout_losses(self.average, self._batches)
        self.parts = {name: Part(best_loss=start[JUDGED[name]]) for name in JUDGED}
        self.best = _copy(self.average)
        self.history.append({"step": 0, **start})

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to do."""
        return self.done >= self.settings.acoustic_steps or all(part.stopped for part in self.parts.values())

    def step(self) -> float:
        """One update; returns its loss. Raises TrainingError(non_finite_loss)."""
        batch = self._batch(self.done)
        self.done += 1
        # What dropout draws depends on the step alone, so a resumed run draws it again.
        torch.manual_seed(self.seed * 1_000_003 + self.done)
        rates = {
            name: 0.0
            if self.parts[name].stopped
            else cosine(
                self.done, steps=self.settings.acoustic_steps, peak=peak, warmup=self.settings.warmup_steps
            )
            for name, peak in (
                ("frames", self.settings.learning_rate),
                ("prosody", self.settings.prosody_learning_rate),
            )
        }
        found = self.optimiser.update(batch, rates)
        self._towards_base(rates)
        decay = min(self.settings.average, self.done / (self.done + 10))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.model.parameters()), 1.0 - decay)
        loss = float((found.frames + found.prosody).detach())
        self._recent.append(loss)
        if self.done % self.settings.evaluate_every == 0 or self.done == self.settings.acoustic_steps:
            self._evaluate()
        return loss

    def finish(self) -> AcousticModel:
        """The last weights of each network whose held-out loss was (within the tolerance) the best, in evaluation mode."""
        self.average.load_state_dict(self.best)
        return self.average

    def state(self) -> dict[str, Any]:
        """Everything that the remaining steps depend on."""
        return {
            "done": self.done,
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "best": self.best,
            "optimiser": self.optimiser.state_dict(),
            "parts": {
                name: [part.best_loss, part.kept_step, part.misses, part.stopped]
                for name, part in self.parts.items()
            },
            "history": self.history,
            "recent": self._recent,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned, bit by bit as if there had been no break."""
        self.done = state["done"]
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.best = state["best"]
        self.optimiser.load_state_dict(state["optimiser"])
        self.parts = {
            name: Part(best_loss=row[0], kept_step=row[1], misses=row[2], stopped=row[3])
            for name, row in state["parts"].items()
        }
        self.history, self._recent = [dict(row) for row in state["history"]], list(state["recent"])

    def _batch(self, step: int) -> AcousticBatch:
        lengths = [one.length for one in self.training]
        first, number = 0, 0
        while True:
            chosen = epoch(
                lengths,
                frames=self.settings.batch_frames,
                generator=determinism.generator(self.seed * 7_919 + number),
                jitter=0.5,
            )
            if step < first + len(chosen):
                return collate([self.training[index] for index in chosen[step - first]])
            first, number = first + len(chosen), number + 1

    def _towards_base(self, rates: dict[str, float]) -> None:
        if not self.settings.towards_base:
            return
        with torch.no_grad():
            for name, peak in (
                ("frames", self.settings.learning_rate),
                ("prosody", self.settings.prosody_learning_rate),
            ):
                share = self.settings.towards_base / 100.0 * rates[name] / peak if peak else 0.0
                for ours, theirs in zip(self.model.parts[name], self.base.parts[name], strict=True):
                    torch._foreach_lerp_(list(ours.parameters()), list(theirs.parameters()), share)

    def _evaluate(self) -> None:
        found = heldout_losses(self.average, self._batches)
        if not all(math.isfinite(value) for value in found.values()):
            raise TrainingError(f"the held-out loss at step {self.done} is not finite", cause="non_finite_loss")
        for name, part in self.parts.items():
            if part.stopped:
                continue
            loss, allowed = found[JUDGED[name]], self.settings.tolerance if name == "frames" else 0.0
            if loss < part.best_loss * (1.0 + allowed):
                part.best_loss, part.kept_step, part.misses = min(loss, part.best_loss), self.done, 0
                self._keep(name)
            else:
                part.misses += 1
                part.stopped = part.misses >= self.settings.patience
        train = sum(self._recent) / max(1, len(self._recent))
        self._recent.clear()
        self.history.append({"step": self.done, "train": train, **found})

    def _keep(self, name: str) -> None:
        kept = {id(one) for module in self.average.parts[name] for one in module.parameters()}
        for key, value in self.average.named_parameters():
            if id(value) in kept:
                self.best[key] = value.detach().clone()


def batches(examples: Sequence[Example]) -> list[AcousticBatch]:
    """Examples in batches of about equal length, always the same ones."""
    ordered = sorted(examples, key=lambda one: one.length)
    return [collate(ordered[start : start + _BATCH]) for start in range(0, len(ordered), _BATCH)]


def _copy(model: AcousticModel) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}
