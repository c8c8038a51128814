"""The loop of a training from an untrained start: it keeps the weights with the lowest held-out loss and proves what they learnt."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Protocol

import torch

from trainer.training import determinism
from trainer.training.held_out import HeldOut
from trainer.training.learning_block import improvement
from trainer.training.loop import Loop, Pace


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


@dataclass(slots=True, kw_only=True)
class Best:
    """The weights with the lowest held-out loss so far."""

    step: int
    loss: float
    weights: dict[str, torch.Tensor]


@dataclass(slots=True, kw_only=True)
class BestLoop(Loop):
    """One training run; `run` goes from wherever its state is to the last step. A subclass calls `begin` once its weights are there."""

    kept: ClassVar[tuple[str, ...]] = ("step", "recent", "last_loss", "history", "start_loss", "control_start_loss")
    settings: LoopSettings
    seed: int
    held_out: HeldOut
    last_loss: float | None = None
    history: list[list[float | int | None]] = field(default_factory=list)
    generator: torch.Generator = field(init=False)
    best: Best = field(init=False)
    start_loss: float = field(init=False)
    control_start_loss: float = field(init=False)

    @abstractmethod
    def loss_on(self, utterances: Sequence[Any]) -> float:
        """The mean loss on whole held-out utterances."""

    def begin(self, **options: Any) -> None:
        """Make optimiser and generator."""
        chosen = self.settings
        self.pace = Pace(
            steps=chosen.steps, peaks={"": chosen.learning_rate}, warmup=chosen.warmup_steps, clip=chosen.gradient_clip,
            evaluate_every=chosen.evaluate_every, save_every=chosen.save_every,
        )  # fmt: skip
        Loop.begin(self, weight_decay=chosen.weight_decay, **options)
        self.generator = determinism.generator(self.seed)

    def run(self) -> dict[str, Any]:
        """Train to the last step and return the `learning` block; `best` then holds the weights to ship, and the model has them.

        Raises TrainingError(non_finite_loss) at the first loss or gradient that is not finite and TrainingError(interrupted) when asked to stop.
        """
        if not self.history:  # a state of step 0 has been measured already
            self._measure_start()
        self.train_to_the_end()
        self.load_weights(self.best.weights)
        return self.learning(control_trained=self.loss_on(self.held_out.control))

    def advance(self) -> float:
        """As any loop's; the last loss goes into the status."""
        self.last_loss = Loop.advance(self)
        return self.last_loss

    def learning(self, *, control_trained: float | None = None) -> dict[str, Any]:
        """The `learning` block as known so far; what was not measured yet is None."""
        return {
            "heldout_loss_start": self.start_loss,
            "heldout_loss_trained": self.best.loss,
            "improvement": improvement(self.start_loss, self.best.loss),
            "control_loss_start": self.control_start_loss,
            "control_loss_trained": control_trained,
            "control_improvement": None
            if control_trained is None
            else improvement(self.control_start_loss, control_trained),
            **Loop.learning(self),
            "heldout_utterances": len(self.held_out.target),
            "history": [list(row) for row in self.history],
        }

    def state(self) -> dict[str, Any]:
        """Also where the draws are, and what was best."""
        return {**Loop.state(self), "generator": self.generator.get_state(), "best": asdict(self.best)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from what `state` returned."""
        Loop.restore(self, state)
        self.generator.set_state(state["generator"])
        self.best = Best(**state["best"])

    def evaluate(self) -> None:
        """Keep the weights where they are the best so far."""
        loss = self.loss_on(self.held_out.target)
        # Broken weights show here one step before the training loss shows them.
        self.require_finite(loss, "held-out loss")
        if loss < self.best.loss:
            self.best = Best(step=self.step, loss=loss, weights=self.weights())
        self.history.append([self.step, sum(self.recent) / len(self.recent), loss])
        self.recent.clear()
        self.hooks.on_evaluation(self.learning())

    def _measure_start(self) -> None:
        self.start_loss = self.loss_on(self.held_out.target)
        self.control_start_loss = self.loss_on(self.held_out.control)
        self.best = Best(step=0, loss=self.start_loss, weights=self.weights())
        self.history.append([0, None, self.start_loss])
        self.hooks.on_evaluation(self.learning())
