"""The loop of every training: gradient, finite check, clip, rate, step, average. A subclass says what a step is."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from trainer.errors import TrainingError


@dataclass(slots=True, kw_only=True)
class Hooks:
    """What a loop reports and asks; each hook has a default that does nothing."""

    on_step: Callable[[int, float], None] = lambda step, loss: None
    on_evaluation: Callable[[dict[str, Any]], None] = lambda found: None
    on_failure: Callable[[dict[str, Any]], None] = lambda learning: None
    """Given `learning` when a number is not finite; the run ends there."""
    save_state: Callable[[dict[str, Any]], None] = lambda state: None
    stop_requested: Callable[[], bool] = lambda: False


@dataclass(slots=True, kw_only=True)
class Counts:
    """How many numbers were NaN or infinite, before anything was clipped; the first of either ends the run."""

    nonfinite_losses: int = 0
    nonfinite_gradients: int = 0
    """Elements."""


@dataclass(slots=True, kw_only=True)
class Loop(ABC):
    """Steps from wherever the state is to the last one; a break between any two of them changes no byte."""

    hooks: Hooks = field(default_factory=Hooks)
    step: int = 0
    first: int = 0
    """Steps of the phases before this one: reports and saved states count them too."""
    counts: Counts = field(default_factory=Counts)
    model: torch.nn.Module = field(init=False)
    average: torch.nn.Module | None = field(init=False, default=None)
    """A running average of the model's weights; None for a loop without one."""
    optimizer: torch.optim.AdamW = field(init=False)

    @property
    @abstractmethod
    def steps(self) -> int:
        """How many there are at most."""

    @abstractmethod
    def gradient(self) -> float:
        """Draw a batch, call `backward` on its loss and return the loss."""

    @abstractmethod
    def rates(self) -> Mapping[str, float]:
        """The learning rate of each part at this step."""

    @abstractmethod
    def evaluate(self) -> None:
        """Judge the weights on speech that is not trained on."""

    def parts(self) -> Mapping[str, list[torch.nn.Parameter]]:
        """What is trained, by part; each part's gradient is clipped by itself. The order never changes."""
        return {"": list(self.model.parameters())}

    @property
    def gradient_clip(self) -> float:
        """The largest norm of a part's gradient: one strange batch must not throw the weights far away."""
        return 1.0

    @property
    def decay(self) -> float:
        """How much of the average stays at this step."""
        return 0.0

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to do."""
        return self.step >= self.steps

    @property
    def evaluation_due(self) -> bool:
        """Whether this step is followed by an evaluation."""
        return self.step == self.steps

    @property
    def save_due(self) -> bool:
        """Whether this step is followed by saving the state."""
        return False

    def begin(self, groups: list[dict[str, Any]] | None = None, **options: Any) -> None:
        """Make the optimiser, once the weights are there; each group names its `part`."""
        groups = groups or [{"params": parameters, "part": name} for name, parameters in self.parts().items()]
        self.optimizer = torch.optim.AdamW(groups, lr=0.0, **options)

    def train(self) -> bool:
        """Step until it is finished (True) or asked to stop (False)."""
        while not self.finished:
            if self.hooks.stop_requested():
                return False
            loss = self.advance()
            self.hooks.on_step(self.first + self.step, loss)
            if self.evaluation_due:
                self.evaluate()
            if self.save_due:
                self.hooks.save_state(self.state())
        return True

    def train_to_the_end(self) -> None:
        """As `train`; raises TrainingError(interrupted) after saving when asked to stop."""
        if not self.train():
            self.hooks.save_state(self.state())
            raise TrainingError(f"stopped by a signal at step {self.first + self.step}; run again to continue", cause="interrupted")

    def advance(self) -> float:
        """One update; returns its loss. Raises TrainingError(non_finite_loss) before any weight is touched."""
        self.step += 1
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.gradient()
        for name, parameters in self.parts().items():
            self._clip(name, [parameter for parameter in parameters if parameter.grad is not None])
        rates = self.rates()
        for group in self.optimizer.param_groups:
            group["lr"] = rates[group["part"]]
        self.optimizer.step()
        self.settle()
        return loss

    def settle(self) -> None:
        """Let the average follow the new weights."""
        # Weights jump about their mean with every batch; the mean is judged and kept, because one jump says little.
        if self.average is not None:
            with torch.no_grad():
                torch._foreach_lerp_(list(self.average.parameters()), list(self.model.parameters()), 1.0 - self.decay)

    def backward(self, loss: torch.Tensor) -> float:
        """Add the gradient of `loss` to the weights' and return its value; raises TrainingError(non_finite_loss)."""
        value = float(loss.detach())
        self.require_finite(value, "loss")
        loss.backward()
        return value

    def require_finite(self, loss: float, what: str) -> None:
        """Raises TrainingError(non_finite_loss), counted and reported, for NaN and infinities."""
        if not math.isfinite(loss):
            self.counts.nonfinite_losses += 1
            raise self._not_finite(f"the {what} at step {self.step} is {loss}")

    def learning(self) -> dict[str, Any]:
        """The `learning` block as far as it is known."""
        return {"nonfinite_losses": self.counts.nonfinite_losses, "nonfinite_gradients": self.counts.nonfinite_gradients}

    def weights(self) -> dict[str, torch.Tensor]:
        """A copy of what is trained, by name."""
        return {name: value.detach().clone() for name, value in self.model.state_dict().items()}

    def load_weights(self, weights: Mapping[str, torch.Tensor]) -> None:
        """Take up what `weights` gave."""
        self.model.load_state_dict(weights)

    def state(self) -> dict[str, Any]:
        """Everything that the remaining steps depend on, as plain containers and tensors."""
        average = {} if self.average is None else {"average": self.average.state_dict()}
        return {"step": self.step, "model": self.weights(), **average, "optimiser": self.optimizer.state_dict()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from what `state` returned; the rest is bit-identical to a run that was never interrupted."""
        self.step = state["step"]
        self.load_weights(state["model"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimiser"])

    def _clip(self, name: str, parameters: list[torch.nn.Parameter]) -> None:
        gradients = [parameter.grad for parameter in parameters]
        norm = torch.nn.utils.get_total_norm(gradients)
        # The norm is looked at before it is used: clipping by NaN would make every element NaN and hide which one was.
        if not bool(torch.isfinite(norm)):
            broken = max(1, sum(int((~torch.isfinite(gradient)).sum()) for gradient in gradients))
            self.counts.nonfinite_gradients += broken
            of = f" of {name}" if name else ""
            raise self._not_finite(f"{broken} elements of the gradient{of} at step {self.step} are not finite")
        torch.nn.utils.clip_grads_with_norm_(parameters, self.gradient_clip, norm)

    def _not_finite(self, message: str) -> TrainingError:
        self.hooks.on_failure(self.learning())
        return TrainingError(message, cause="non_finite_loss")
