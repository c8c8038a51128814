"""The loop of every training: gradient, finite check, clip, rate, step, average. A subclass says what a step is."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch

from trainer.errors import TrainingError
from trainer.training.schedule import cosine


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How far, how fast and how often; by steps, never by time, so that a result does not depend on the machine."""

    steps: int
    peaks: Mapping[str, float]
    """The highest learning rate of each part."""
    warmup: int
    evaluate_every: int = 0
    """Steps between two evaluations; 0: only at the end."""
    save_every: int = 0
    """Steps between two saved states; 0: none."""
    before: int = 0
    after: int = 0
    """Steps of the phases before and after this one: reports and saved states count all of them."""
    clip: float = 1.0
    """The largest norm of a part's gradient: one strange batch must not throw the weights far away."""
    decay: float = 0.0
    """Of the running average of the weights; early on it is step / (10 + step), so that the first weights leave the average quickly."""


@dataclass(slots=True, kw_only=True)
class Loop(ABC):
    """Steps from wherever the state is to the last one; a break between any two of them changes no byte."""

    kept: ClassVar[tuple[str, ...]] = ("step",)
    """Plain attributes that belong to the state."""
    hooks: Hooks = field(default_factory=Hooks)
    step: int = 0
    counts: Counts = field(default_factory=Counts)
    recent: list[float] = field(default_factory=list)
    """Losses since the last evaluation or report."""
    pace: Pace = field(init=False)
    model: torch.nn.Module = field(init=False)
    average: torch.nn.Module | None = field(init=False, default=None)
    """The running average of the model; None for a loop without one."""
    optimizer: torch.optim.AdamW = field(init=False)

    @abstractmethod
    def gradient(self) -> float:
        """Draw a batch, call `backward` on its loss and return the loss."""

    @abstractmethod
    def evaluate(self) -> None:
        """Judge the weights on speech that is not trained on."""

    def parts(self) -> Mapping[str, list[torch.nn.Parameter]]:
        """What is trained, by part; each part's gradient is clipped by itself. The order never changes."""
        return {"": list(self.model.parameters())}

    def rates(self) -> dict[str, float]:
        """The learning rate of each part at this step."""
        pace = self.pace
        return {
            part: cosine(self.step, steps=pace.steps, peak=peak, warmup=pace.warmup)
            for part, peak in pace.peaks.items()
        }

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to do."""
        return self.step >= self.pace.steps

    @property
    def evaluation_due(self) -> bool:
        """Every few steps and at the end."""
        return self.step == self.pace.steps or (
            self.pace.evaluate_every > 0 and self.step % self.pace.evaluate_every == 0
        )

    @property
    def save_due(self) -> bool:
        """Every few steps, but not after the last of all phases: the checkpoint follows."""
        every, step = self.pace.save_every, self.pace.before + self.step
        return every > 0 and step % every == 0 and step < self.pace.before + self.pace.steps + self.pace.after

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
            self.hooks.on_step(self.pace.before + self.step, loss)
            if self.evaluation_due:
                self.evaluate()
            if self.save_due:
                self.hooks.save_state(self.state())
        return True

    def train_to_the_end(self) -> None:
        """As `train`; raises TrainingError(interrupted) after saving when asked to stop."""
        if not self.train():
            self.hooks.save_state(self.state())
            step = self.pace.before + self.step
            raise TrainingError(f"stopped by a signal at step {step}; run again to continue", cause="interrupted")

    def advance(self) -> float:
        """One update; returns its loss. Raises TrainingError(non_finite_loss) before any weight is touched."""
        self.step += 1
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.gradient()
        self.recent.append(loss)
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
            decay = min(self.pace.decay, self.step / (10 + self.step))
            with torch.no_grad():
                torch._foreach_lerp_(list(self.average.parameters()), list(self.model.parameters()), 1.0 - decay)

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
        return {
            "nonfinite_losses": self.counts.nonfinite_losses,
            "nonfinite_gradients": self.counts.nonfinite_gradients,
        }

    def weights(self) -> dict[str, torch.Tensor]:
        """A copy of what is trained, by name."""
        return {name: value.detach().clone() for name, value in self.model.state_dict().items()}

    def load_weights(self, weights: Mapping[str, torch.Tensor]) -> None:
        """Take up what `weights` gave."""
        self.model.load_state_dict(weights)

    def state(self) -> dict[str, Any]:
        """Everything that the remaining steps depend on, as plain containers and tensors."""
        average = {} if self.average is None else {"average": self.average.state_dict()}
        plain = {name: getattr(self, name) for name in self.kept}
        return {**plain, "model": self.weights(), **average, "optimiser": self.optimizer.state_dict()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from what `state` returned; the rest is bit-identical to a run that was never interrupted."""
        for name in self.kept:
            setattr(self, name, state[name])
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
        torch.nn.utils.clip_grads_with_norm_(parameters, self.pace.clip, norm)

    def _not_finite(self, message: str) -> TrainingError:
        self.hooks.on_failure(self.learning())
        return TrainingError(message, cause="non_finite_loss")
