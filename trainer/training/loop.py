"""The loop that every small training here is: steps, evaluations, a best state, breaks that change no byte; a subclass says what a step is."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch

from trainer.errors import TrainingError
from trainer.training import determinism
from trainer.training.learning_proof import improvement


class LoopSettings(Protocol):
    """What the loop itself has to know; by steps, never by time."""

    steps: int
    learning_rate: float
    weight_decay: float
    warmup_steps: int
    gradient_clip: float
    evaluate_every: int
    save_every: int

    def as_dict(self) -> dict[str, Any]:
        """Plain values by field name."""


class HeldOut(Protocol):
    """What every evaluation hears."""

    target: Sequence[Any]
    control: Sequence[Any]


@dataclass(slots=True, kw_only=True)
class Counts:
    """Raw counts of what went wrong, taken before anything is clipped; the first of either ends the run."""

    nonfinite_losses: int = 0
    nonfinite_gradients: int = 0
    """Elements that were NaN or infinite."""


@dataclass(slots=True, kw_only=True)
class Best:
    """The weights with the lowest held-out loss so far."""

    step: int
    loss: float
    weights: dict[str, torch.Tensor]


@dataclass(slots=True, kw_only=True)
class Hooks:
    """What the loop reports and asks; every hook may be left out."""

    on_step: Callable[[int, float], None] = lambda step, loss: None
    on_evaluation: Callable[[dict[str, Any]], None] = lambda learning: None
    on_failure: Callable[[dict[str, Any]], None] = lambda learning: None
    save_state: Callable[[dict[str, Any]], None] = lambda state: None
    stop_requested: Callable[[], bool] = lambda: False


@dataclass(slots=True, kw_only=True)
class TrainingLoop(ABC):
    """One training run; `run` goes from wherever its state is to the last step. A subclass calls `begin` once its weights are there."""

    settings: LoopSettings
    seed: int
    held_out: HeldOut
    hooks: Hooks = field(default_factory=Hooks)
    step: int = 0
    last_loss: float | None = None
    counts: Counts = field(default_factory=Counts)
    history: list[list[float | int | None]] = field(default_factory=list)
    optimizer: torch.optim.AdamW = field(init=False)
    generator: torch.Generator = field(init=False)
    best: Best = field(init=False)
    start_loss: float = field(init=False)
    control_start_loss: float = field(init=False)
    _recent: list[float] = field(default_factory=list)

    @abstractmethod
    def gradient(self) -> float:
        """Draw a batch (from `generator` alone), leave the gradient of its loss in the parameters, and return the loss; `require_finite` first."""

    @abstractmethod
    def parameters(self) -> list[torch.nn.Parameter]:
        """What is trained, in an order that never changes."""

    @abstractmethod
    def weights(self) -> dict[str, torch.Tensor]:
        """A copy of what is trained, by name."""

    @abstractmethod
    def put(self, weights: Mapping[str, torch.Tensor]) -> None:
        """Take up what `weights` gave."""

    @abstractmethod
    def loss_on(self, utterances: Sequence[Any]) -> float:
        """The mean loss on whole held-out utterances."""

    def begin(self, **options: Any) -> None:
        """Make optimiser (with `options` of its own) and generator."""
        self.optimizer = torch.optim.AdamW(
            self.parameters(), lr=self.settings.learning_rate, weight_decay=self.settings.weight_decay, **options
        )
        self.generator = determinism.generator(self.seed)

    def run(self) -> dict[str, Any]:
        """Train to the last step and return the `learning` block; `best` then holds the weights to ship, and the model has them.

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
        self.put(self.best.weights)
        return self.learning(control_trained=self.loss_on(self.held_out.control))

    def require_finite(self, loss: float, what: str = "loss of") -> None:
        """Raises TrainingError(non_finite_loss), counted and reported, for NaN and infinities."""
        if not math.isfinite(loss):
            self.counts.nonfinite_losses += 1
            raise self._not_finite(f"the {what} step {self.step} is {loss}")

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
        """Everything that the remaining steps depend on, as plain containers and tensors; nothing that is frozen."""
        return {
            "step": self.step,
            "weights": self.weights(),
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

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from what `state` returned; the rest of the run is bit-identical to one that was never interrupted."""
        self.step, self.last_loss = state["step"], state["last_loss"]
        self.put(state["weights"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"])
        self.history, self._recent = [list(row) for row in state["history"]], list(state["recent"])
        self.best = Best(**state["best"])
        self.start_loss, self.control_start_loss = state["start_loss"], state["control_start_loss"]
        self.counts = Counts(nonfinite_losses=state["nonfinite_losses"], nonfinite_gradients=state["nonfinite_gradients"])

    def _train_step(self) -> None:
        self.step += 1
        self.optimizer.zero_grad(set_to_none=True)
        self.last_loss = self.gradient()
        self._recent.append(self.last_loss)
        self._update()

    def _update(self) -> None:
        parameters = [parameter for parameter in self.parameters() if parameter.grad is not None]
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
        self.start_loss = self.loss_on(self.held_out.target)
        self.control_start_loss = self.loss_on(self.held_out.control)
        self.best = Best(step=0, loss=self.start_loss, weights=self.weights())
        self.history.append([0, None, self.start_loss])
        self.hooks.on_evaluation(self.learning())

    def _evaluate(self) -> None:
        loss = self.loss_on(self.held_out.target)
        # Broken weights show here one step before the training loss shows them.
        self.require_finite(loss, "held-out loss at")
        if loss < self.best.loss:
            self.best = Best(step=self.step, loss=loss, weights=self.weights())
        self.history.append([self.step, sum(self._recent) / len(self._recent), loss])
        self._recent.clear()
        self.hooks.on_evaluation(self.learning())


def learning_rate(step: int, settings: LoopSettings) -> float:
    """Linear warm-up, then half a cosine down to zero at the last step; `step` counts from 1."""
    if step <= settings.warmup_steps:
        return settings.learning_rate * step / settings.warmup_steps
    progress = (step - settings.warmup_steps) / max(1, settings.steps - settings.warmup_steps + 1)
    return settings.learning_rate * 0.5 * (1.0 + math.cos(math.pi * progress))
