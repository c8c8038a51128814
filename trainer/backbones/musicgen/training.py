"""Training of the adapters on one voice: a loop that reads top to bottom, and nothing hidden in it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from trainer import determinism
from trainer.backbones.musicgen import adapters
from trainer.backbones.musicgen.base import MusicgenBase
from trainer.backbones.musicgen.evaluation import HeldOut, heldout_loss
from trainer.backbones.musicgen.examples import Example, loss, random_batch
from trainer.backbones.musicgen.settings import MusicgenSettings
from trainer.errors import TrainingError
from trainer.evaluation import improvement
from trainer.training import Best, Counts, Hooks, learning_rate


@dataclass(slots=True, kw_only=True)
class AdapterTrainer:
    """One training run over a base that has no adapters yet; `run` goes from wherever its state is to the last step."""

    base: MusicgenBase
    settings: MusicgenSettings
    seed: int
    utterances: Sequence[Example]
    held_out: HeldOut
    hooks: Hooks = field(default_factory=Hooks)
    step: int = 0
    last_loss: float | None = None
    counts: Counts = field(default_factory=Counts)
    history: list[list[float | int | None]] = field(default_factory=list)
    device: torch.device = field(init=False)
    optimizer: torch.optim.AdamW = field(init=False)
    generator: torch.Generator = field(init=False)
    best: Best = field(init=False)
    start_loss: float = field(init=False)
    control_start_loss: float = field(init=False)
    _recent: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.device = determinism.choose_device(self.settings.device)
        adapters.insert(self.base.decoder, rank=self.settings.rank, alpha=self.settings.alpha, seed=self.seed)
        self.base.model.to(self.device)
        self.optimizer = torch.optim.AdamW(
            adapters.parameters(self.base.decoder).values(),
            lr=self.settings.learning_rate,
            weight_decay=self.settings.weight_decay,
        )
        self.generator = determinism.generator(self.seed)

    def run(self) -> dict[str, Any]:
        """Train to the last step and return the `learning` block; `best` then holds the adapters to ship, and the base has them.

        Raises TrainingError(non_finite_loss) at the first loss or gradient that is not finite and TrainingError(interrupted) when asked to stop.
        """
        if self.step == 0:
            self._measure_start()
        while self.step < self.settings.steps:
            if self.hooks.stop_requested():
                self.hooks.save_state(self.state())
                raise TrainingError(f"stopped by a signal at step {self.step}; run again to continue", cause="interrupted")
            self._train_step()
            self.hooks.on_step(self.step, self._recent[-1])
            if self.step % self.settings.evaluate_every == 0 or self.step == self.settings.steps:
                self._evaluate()
            if self.step % self.settings.save_every == 0 and self.step < self.settings.steps:
                self.hooks.save_state(self.state())
        adapters.restore(self.base.decoder, self.best.weights)
        return self.learning(control_trained=heldout_loss(self.base, self.held_out.control))

    def _train_step(self) -> None:
        batch = random_batch(
            self.utterances,
            size=self.settings.batch_size,
            prompt_dropout=self.settings.prompt_dropout,
            generator=self.generator,
        )
        frames = sum(example.codes.shape[1] for example in batch)
        self.step += 1
        self.optimizer.zero_grad(set_to_none=True)
        total = 0.0
        for example in batch:
            # On CUDA the blocks run in bfloat16; the adapters, the loss and every evaluation stay in float32.
            with torch.autocast(device_type="cuda", dtype=torch.bfloat16, enabled=self.device.type == "cuda"):
                # Every token of the batch counts the same.
                value = loss(self.base, example) * (example.codes.shape[1] / frames)
            total += float(value.detach())
            if not math.isfinite(total):
                self.counts.nonfinite_losses += 1
                raise self._not_finite(f"the loss of step {self.step} is {total}")
            value.backward()
        self.last_loss = total
        self._recent.append(total)
        self._update()

    def _update(self) -> None:
        parameters = list(adapters.parameters(self.base.decoder).values())
        broken = sum(int((~torch.isfinite(parameter.grad)).sum()) for parameter in parameters)
        if broken:
            self.counts.nonfinite_gradients += broken
            raise self._not_finite(f"{broken} elements of the gradient of step {self.step} are not finite")
        torch.nn.utils.clip_grad_norm_(parameters, self.settings.gradient_clip)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.step, self.settings)
        self.optimizer.step()

    def _not_finite(self, message: str) -> TrainingError:
        self.hooks.on_failure(self.learning())
        return TrainingError(message, cause="non_finite_loss")

    def _measure_start(self) -> None:
        self.start_loss = heldout_loss(self.base, self.held_out.target)
        self.control_start_loss = heldout_loss(self.base, self.held_out.control)
        self.best = Best(step=0, loss=self.start_loss, weights=adapters.weights(self.base.decoder))
        self.history.append([0, None, self.start_loss])
        self.hooks.on_evaluation(self.learning())

    def _evaluate(self) -> None:
        value = heldout_loss(self.base, self.held_out.target)
        # Broken weights show here one step before the training loss shows them.
        if not math.isfinite(value):
            self.counts.nonfinite_losses += 1
            raise self._not_finite(f"the held-out loss at step {self.step} is {value}")
        if value < self.best.loss:
            self.best = Best(step=self.step, loss=value, weights=adapters.weights(self.base.decoder))
        self.history.append([self.step, sum(self._recent) / len(self._recent), value])
        self._recent.clear()
        self.hooks.on_evaluation(self.learning())

    def learning(self, *, control_trained: float | None = None) -> dict[str, Any]:
        """The `learning` block as known so far; what was not measured yet is None."""
        return {
            "heldout_loss_start": self.start_loss,
            "heldout_loss_trained": self.best.loss,
            "improvement": improvement(self.start_loss, self.best.loss),
            "control_loss_start": self.control_start_loss,
            "control_loss_trained": control_trained,
            "control_improvement": None if control_trained is None else improvement(self.control_start_loss, control_trained),
            "nonfinite_losses": self.counts.nonfinite_losses,
            "nonfinite_gradients": self.counts.nonfinite_gradients,
            "heldout_utterances": len(self.held_out.target),
            "history": [list(row) for row in self.history],
        }

    def state(self) -> dict[str, Any]:
        """Everything that the remaining steps depend on, as plain containers and tensors; the frozen base is not in it."""
        return {
            "step": self.step,
            "adapters": adapters.weights(self.base.decoder),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.get_state(),
            "history": self.history,
            "recent": self._recent,
            "last_loss": self.last_loss,
            "best": {"step": self.best.step, "loss": self.best.loss, "weights": self.best.weights},
            "start_loss": self.start_loss,
            "control_start_loss": self.control_start_loss,
            "nonfinite_losses": self.counts.nonfinite_losses,
            "nonfinite_gradients": self.counts.nonfinite_gradients,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned; the rest of the run is bit-identical to one that was never interrupted."""
        self.step, self.last_loss = state["step"], state["last_loss"]
        adapters.restore(self.base.decoder, state["adapters"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"])
        self.history, self._recent = [list(row) for row in state["history"]], list(state["recent"])
        self.best = Best(**state["best"])
        self.start_loss, self.control_start_loss = state["start_loss"], state["control_start_loss"]
        self.counts = Counts(
            nonfinite_losses=state["nonfinite_losses"], nonfinite_gradients=state["nonfinite_gradients"]
        )
