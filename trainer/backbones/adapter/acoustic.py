"""Fine-tuning of the acoustic model: all weights, each network until its own held-out loss stops falling, judged by a running average."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import torch

from trainer.backbones.adapter.settings import AdaptationSettings
from trainer.models.acoustic import AcousticModel
from trainer.models.acoustic.examples import AcousticBatch, Example, collate, epoch
from trainer.models.acoustic.losses import heldout_losses
from trainer.training import determinism
from trainer.training.acoustic_loop import AcousticLoop
from trainer.training.schedule import cosine

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
class AcousticAdaptation(AcousticLoop):
    """The first phase; `finish` leaves the kept weights of each network in `average`."""

    settings: AdaptationSettings
    seed: int
    base: AcousticModel
    training: Sequence[Example]
    held_out: Sequence[Example]
    networks: dict[str, Part] = field(init=False)
    best: dict[str, torch.Tensor] = field(init=False)
    history: list[dict[str, float]] = field(default_factory=list)
    _recent: list[float] = field(default_factory=list)
    _batches: list[AcousticBatch] = field(init=False)

    def __post_init__(self) -> None:
        self.adopt(self.base, bfloat16=self.settings.bfloat16)
        self._batches = batches(self.held_out)
        start = heldout_losses(self.average, self._batches)
        self.networks = {name: Part(best_loss=start[JUDGED[name]]) for name in JUDGED}
        self.best = {name: value.detach().clone() for name, value in self.average.state_dict().items()}
        self.history.append({"step": 0, **start})

    @property
    def steps(self) -> int:
        """Of this phase."""
        return self.settings.acoustic_steps

    @property
    def finished(self) -> bool:
        """After the last step, or once both networks have stopped."""
        return self.step >= self.steps or all(part.stopped for part in self.networks.values())

    @property
    def evaluation_due(self) -> bool:
        """Every few steps and at the end."""
        return self.step % self.settings.evaluate_every == 0 or self.step == self.steps

    @property
    def save_due(self) -> bool:
        """Every few steps, but not at the end: the checkpoint follows."""
        return self.settings.saves_at(self.first + self.step)

    @property
    def decay(self) -> float:
        """A tenth of the steps so far is remembered at first: the base's weights leave the average quickly."""
        return min(self.settings.average, self.step / (self.step + 10))

    def batch(self) -> AcousticBatch:
        """The next of the epoch's, drawn from the seed and the step alone."""
        batch = self._batch(self.step - 1)
        # What dropout draws depends on the step alone, so a resumed run draws it again.
        torch.manual_seed(self.seed * 1_000_003 + self.step)
        return batch

    def rates(self) -> dict[str, float]:
        """A cosine for each network; 0 once it has stopped."""
        warmup = self.settings.warmup_steps
        return {
            name: 0.0 if self.networks[name].stopped else cosine(self.step, steps=self.steps, peak=peak, warmup=warmup)
            for name, peak in self._peaks().items()
        }

    def gradient(self) -> float:
        """The loss is kept for the history."""
        self._recent.append(AcousticLoop.gradient(self))
        return self._recent[-1]

    def settle(self) -> None:
        """First a little way back to the base: a few minutes of speech say nothing of most sounds in most places."""
        if self.settings.towards_base:
            rates = self.rates()
            for name, peak in self._peaks().items():
                share = self.settings.towards_base / 100.0 * rates[name] / peak if peak else 0.0
                with torch.no_grad():
                    for ours, theirs in zip(self.model.parts[name], self.base.parts[name], strict=True):
                        torch._foreach_lerp_(list(ours.parameters()), list(theirs.parameters()), share)
        AcousticLoop.settle(self)

    def evaluate(self) -> None:
        """Keep what is better, stop what no longer gets better."""
        found = heldout_losses(self.average, self._batches)
        for name, value in found.items():
            self.require_finite(value, f"held-out {name} loss")
        for name, part in self.networks.items():
            if part.stopped:
                continue
            loss, allowed = found[JUDGED[name]], self.settings.tolerance if name == "frames" else 0.0
            if loss < part.best_loss * (1.0 + allowed):
                part.best_loss, part.kept_step, part.misses = min(loss, part.best_loss), self.step, 0
                self._keep(name)
            else:
                part.misses += 1
                part.stopped = part.misses >= self.settings.patience
        train = sum(self._recent) / max(1, len(self._recent))
        self._recent.clear()
        self.history.append({"step": self.step, "train": train, **found})
        self.hooks.on_evaluation(self.history[-1])

    def finish(self) -> AcousticModel:
        """The last weights of each network whose held-out loss was (within the tolerance) the best, in evaluation mode."""
        self.average.load_state_dict(self.best)
        return self.average

    def state(self) -> dict[str, Any]:
        """Also what was kept, and how far each network is."""
        return {
            **AcousticLoop.state(self),
            "best": self.best,
            "networks": {name: asdict(part) for name, part in self.networks.items()},
            "history": self.history,
            "recent": self._recent,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from what `state` returned."""
        AcousticLoop.restore(self, state)
        self.best = state["best"]
        self.networks = {name: Part(**part) for name, part in state["networks"].items()}
        self.history, self._recent = [dict(row) for row in state["history"]], list(state["recent"])

    def _peaks(self) -> dict[str, float]:
        return {"frames": self.settings.learning_rate, "prosody": self.settings.prosody_learning_rate}

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

    def _keep(self, name: str) -> None:
        kept = {id(one) for module in self.average.parts[name] for one in module.parameters()}
        for key, value in self.average.named_parameters():
            if id(value) in kept:
                self.best[key] = value.detach().clone()


def batches(examples: Sequence[Example]) -> list[AcousticBatch]:
    """Examples in batches of about equal length, always the same ones."""
    ordered = sorted(examples, key=lambda one: one.length)
    return [collate(ordered[start : start + _BATCH]) for start in range(0, len(ordered), _BATCH)]
