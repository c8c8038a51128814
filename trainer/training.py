"""Training of the vocoder on one voice: a loop that reads top to bottom, and nothing hidden in it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from trainer import determinism
from trainer.dataset import Batch, Utterance, random_batch
from trainer.errors import TrainingError
from trainer.evaluation import HeldOut, heldout_loss, improvement
from trainer.settings import TrainSettings
from trainer.vocoder import Vocoder, VocoderConfig, spectral_loss
from trainer.vocoder.excitation import white_noise

BETAS = (0.8, 0.99)
"""AdamW's decay rates as usual for vocoders: the first is low because every batch asks for another direction."""


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
class Trainer:
    """One training run; `run` goes from wherever its state is to the last step."""

    settings: TrainSettings
    seed: int
    utterances: Sequence[Utterance]
    held_out: HeldOut
    hooks: Hooks = field(default_factory=Hooks)
    step: int = 0
    last_loss: float | None = None
    counts: Counts = field(default_factory=Counts)
    history: list[list[float | int | None]] = field(default_factory=list)
    device: torch.device = field(init=False)
    model: Vocoder = field(init=False)
    optimizer: torch.optim.AdamW = field(init=False)
    generator: torch.Generator = field(init=False)
    best: Best = field(init=False)
    start_loss: float = field(init=False)
    control_start_loss: float = field(init=False)
    _recent: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.device = determinism.choose_device(self.settings.device)
        config = VocoderConfig(
            width=self.settings.width, hidden=self.settings.hidden, blocks=self.settings.blocks
        )
        self.model = Vocoder.untrained(config, seed=self.seed).to(self.device)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(),
            lr=self.settings.learning_rate,
            betas=BETAS,
            weight_decay=self.settings.weight_decay,
        )
        self.generator = determinism.generator(self.seed)

    def run(self) -> dict[str, Any]:
        """Train to the last step and return the `learning` block; `best` then holds the weights to ship.

        Raises TrainingError(non_finite_loss) at the first loss or gradient that is not finite and TrainingError(interrupted) when asked to stop.
        """
        if self.step == 0:
            self._measure_start()
        while self.step < self.settings.steps:
            if self.hooks.stop_requested():
                self.hooks.save_state(self.state())
                raise TrainingError(
                    f"stopped by a signal at step {self.step}; run again to continue", cause="interrupted"
                )
            self._train_step()
            self.hooks.on_step(self.step, self._recent[-1])
            if self.step % self.settings.evaluate_every == 0 or self.step == self.settings.steps:
                self._evaluate()
            if self.step % self.settings.save_every == 0 and self.step < self.settings.steps:
                self.hooks.save_state(self.state())
        return self.learning(control_trained=self._control_loss_of_best())

    def _train_step(self) -> None:
        batch = random_batch(
            self.utterances,
            size=self.settings.batch_size,
            frames=self.settings.segment_frames,
            generator=self.generator,
        ).to(self.device)
        noise = white_noise(batch.wave.shape[1], batch=len(batch.wave), generator=self.generator).to(
            self.device
        )
        loss = self._loss(batch, noise)
        value = float(loss.detach())
        self.step += 1
        if not math.isfinite(value):
            self.counts.nonfinite_losses += 1
            raise self._not_finite(f"the loss of step {self.step} is {value}")
        self.last_loss = value
        self._recent.append(value)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self._update()

    def _loss(self, batch: Batch, noise: torch.Tensor) -> torch.Tensor:
        # On CUDA the network runs in bfloat16; envelopes, synthesis and losses stay in float32 (Vocoder.residual casts back).
        with torch.autocast(device_type="cuda", dtype=torch.bfloat16, enabled=self.device.type == "cuda"):
            residual = self.model.residual(batch.mel, batch.f0, batch.voicing)
        wave = self.model.synthesise(batch.mel, batch.f0, batch.voicing, noise, residual)
        return spectral_loss(wave, batch.wave)

    def _update(self) -> None:
        parameters = [parameter for parameter in self.model.parameters() if parameter.grad is not None]
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
        self.start_loss = heldout_loss(self.model, self.held_out.target)
        self.control_start_loss = heldout_loss(self.model, self.held_out.control)
        self.best = Best(step=0, loss=self.start_loss, weights=_copy(self.model.state_dict()))
        self.history.append([0, None, self.start_loss])
        self.hooks.on_evaluation(self.learning())

    def _evaluate(self) -> None:
        loss = heldout_loss(self.model, self.held_out.target)
        # NaN weights give a NaN here one step before the training loss shows it.
        if not math.isfinite(loss):
            self.counts.nonfinite_losses += 1
            raise self._not_finite(f"the held-out loss at step {self.step} is {loss}")
        if loss < self.best.loss:
            self.best = Best(step=self.step, loss=loss, weights=_copy(self.model.state_dict()))
        self.history.append([self.step, sum(self._recent) / len(self._recent), loss])
        self._recent.clear()
        self.hooks.on_evaluation(self.learning())

    def _control_loss_of_best(self) -> float:
        self.model.load_state_dict(self.best.weights)
        return heldout_loss(self.model, self.held_out.control)

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
            "nonfinite_losses": self.counts.nonfinite_losses,
            "nonfinite_gradients": self.counts.nonfinite_gradients,
            "heldout_utterances": len(self.held_out.target),
            "history": [list(row) for row in self.history],
        }

    def state(self) -> dict[str, Any]:
        """Everything that the remaining steps depend on, as plain containers and tensors."""
        return {
            "step": self.step,
            "model": self.model.state_dict(),
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
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"])
        self.history, self._recent = [list(row) for row in state["history"]], list(state["recent"])
        self.best = Best(**state["best"])
        self.start_loss, self.control_start_loss = state["start_loss"], state["control_start_loss"]
        self.counts = Counts(
            nonfinite_losses=state["nonfinite_losses"], nonfinite_gradients=state["nonfinite_gradients"]
        )


def learning_rate(step: int, settings: TrainSettings) -> float:
    """Linear warm-up, then half a cosine down to zero at the last step; `step` counts from 1. By steps, never by time."""
    if step <= settings.warmup_steps:
        return settings.learning_rate * step / settings.warmup_steps
    progress = (step - settings.warmup_steps) / max(1, settings.steps - settings.warmup_steps + 1)
    return settings.learning_rate * 0.5 * (1.0 + math.cos(math.pi * progress))


def _copy(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in weights.items()}
