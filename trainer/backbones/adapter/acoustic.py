"""Fine-tuning of the acoustic model: all weights, each network until its own held-out loss stops falling, judged by a running average."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

import torch

from trainer.backbones.adapter.settings import AdaptationSettings
from trainer.models.acoustic import AcousticModel
from trainer.models.acoustic.examples import AcousticBatch, Example, collate, epoch
from trainer.models.acoustic.losses import heldout_losses
from trainer.training import determinism
from trainer.training.acoustic_loop import AcousticLoop
from trainer.training.loop import Pace

JUDGED = {"frames": "mel", "prosody": "prosody"}
"""The held-out loss by which each network is judged; voicing over-fits within 50 steps and says little about the spectrum."""
_BATCH = 8


@dataclass(slots=True, kw_only=True)
class NetworkPart:
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
    kept: ClassVar[tuple[str, ...]] = ("step", "recent", "history", "best")
    networks: dict[str, NetworkPart] = field(init=False)
    best: dict[str, torch.Tensor] = field(init=False)
    history: list[dict[str, float]] = field(default_factory=list)
    _batches: list[AcousticBatch] = field(init=False)

    def __post_init__(self) -> None:
        chosen = self.settings
        self.pace = Pace(
            steps=chosen.acoustic_steps, after=chosen.steps - chosen.acoustic_steps, warmup=chosen.warmup_steps,
            peaks={"frames": chosen.learning_rate, "prosody": chosen.prosody_learning_rate},
            evaluate_every=chosen.evaluate_every, save_every=chosen.save_every, decay=chosen.average,
        )  # fmt: skip
        self.adopt(self.base, bfloat16=self.settings.bfloat16)
        self._batches = batches(self.held_out)
        start = heldout_losses(self.average, self._batches)
        self.networks = {name: NetworkPart(best_loss=start[JUDGED[name]]) for name in JUDGED}
        self.best = {name: value.detach().clone() for name, value in self.average.state_dict().items()}
        self.history.append({"step": 0, **start})

    @property
    def finished(self) -> bool:
        """After the last step, or once both networks have stopped."""
        return self.step >= self.pace.steps or all(part.stopped for part in self.networks.values())

    def batch(self) -> AcousticBatch:
        """The next of the epoch's, drawn from the seed and the step alone."""
        batch = self._batch(self.step - 1)
        # What dropout draws depends on the step alone, so a resumed run draws it again.
        torch.manual_seed(self.seed * 1_000_003 + self.step)
        return batch

    def rates(self) -> dict[str, float]:
        """0 for a network that has stopped."""
        return {name: 0.0 if self.networks[name].stopped else rate for name, rate in AcousticLoop.rates(self).items()}

    def settle(self) -> None:
        """First a little way back to the base: a few minutes of speech say nothing of most sounds in most places."""
        if self.settings.towards_base:
            rates = self.rates()
            for name, peak in self.pace.peaks.items():
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
        train = sum(self.recent) / max(1, len(self.recent))
        self.recent.clear()
        self.history.append({"step": self.step, "train": train, **found})
        self.hooks.on_evaluation(self.history[-1])

    def finish(self) -> AcousticModel:
        """The last weights of each network whose held-out loss was (within the tolerance) the best, in evaluation mode."""
        self.average.load_state_dict(self.best)
        return self.average

    def state(self) -> dict[str, Any]:
        """Also how far each network is."""
        return {**AcousticLoop.state(self), "networks": {name: asdict(part) for name, part in self.networks.items()}}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from what `state` returned."""
        AcousticLoop.restore(self, state)
        self.networks = {name: NetworkPart(**part) for name, part in state["networks"].items()}

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
