"""One update of an acoustic model: both networks from their own losses, each with its own gradient clip, nothing shared but the forward."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from trainer.errors import NonFiniteGradient, TrainingError
from trainer.models.acoustic.examples import AcousticBatch
from trainer.models.acoustic.losses import Losses, losses
from trainer.models.acoustic.model import AcousticModel

BETAS = (0.9, 0.98)
GRADIENT_CLIP = 1.0
WEIGHT_DECAY = 0.01


@dataclass(slots=True)
class Optimiser:
    """AdamW over the model's parts; parts that are given no learning rate stay as they are."""

    model: AcousticModel
    adam: torch.optim.AdamW
    precision: torch.dtype
    synchronise: Callable[[Iterable[torch.nn.Parameter]], None] = lambda parameters: None
    """Called between backward and update, for training in several processes."""

    @classmethod
    def of(
        cls,
        model: AcousticModel,
        *,
        precision: torch.dtype = torch.float32,
        weight_decay: float = WEIGHT_DECAY,
    ) -> Optimiser:
        """An optimiser without memory; `precision` bfloat16 computes the networks under autocast."""
        groups = []
        for name, modules in model.parts.items():
            decayed, plain = [], []
            for parameter in (parameter for module in modules for parameter in module.parameters()):
                (decayed if parameter.dim() > 1 else plain).append(parameter)
            groups.append({"params": decayed, "weight_decay": weight_decay, "part": name})
            groups.append({"params": plain, "weight_decay": 0.0, "part": name})
        return cls(model, torch.optim.AdamW(groups, lr=0.0, betas=BETAS, fused=True), precision)

    def update(self, batch: AcousticBatch, rates: Mapping[str, float]) -> Losses:
        """One step with a learning rate per part, which may be none at all; raises TrainingError(non_finite_loss) before any weight is touched."""
        for name, modules in self.model.parts.items():
            for module in modules:
                module.requires_grad_(rates.get(name, 0.0) > 0)
        found = forward_losses(self.model, batch, self.precision)
        self.adam.zero_grad(set_to_none=True)
        active = [getattr(found, name) for name in self.model.parts if rates.get(name, 0.0) > 0]
        if not active:
            return found
        value = float(sum(part.detach() for part in active))
        if not math.isfinite(value):
            raise TrainingError(f"the loss is {value}", cause="non_finite_loss")
        sum(active).backward()
        self.synchronise(self.model.parameters())
        for name, modules in self.model.parts.items():
            if rates.get(name, 0.0) > 0:
                norm = torch.nn.utils.clip_grad_norm_(
                    [parameter for module in modules for parameter in module.parameters()], GRADIENT_CLIP
                )
                if not bool(torch.isfinite(norm)):
                    raise NonFiniteGradient(f"the gradient of {name} is not finite")
        for group in self.adam.param_groups:
            group["lr"] = rates.get(group["part"], 0.0)
        self.adam.step()
        return found

    def state_dict(self) -> dict[str, Any]:
        """For a resume state."""
        return self.adam.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from `state_dict`."""
        self.adam.load_state_dict(state)


def forward_losses(model: AcousticModel, batch: AcousticBatch, precision: torch.dtype) -> Losses:
    """Losses of a batch with the networks in `precision` and the losses in float32."""
    device = next(model.parameters()).device
    with torch.autocast(device.type, torch.bfloat16, enabled=precision == torch.bfloat16):
        prediction = model(*batch.inputs)
    return losses(prediction, batch)


@torch.no_grad()
def heldout_losses(
    model: AcousticModel, batches: list[AcousticBatch], precision: torch.dtype = torch.float32
) -> dict[str, float]:
    """Mean losses by part and term over batches, weighted by their frames; dropout off."""
    training = model.training
    model.eval()
    totals: dict[str, float] = {}
    frames = 0.0
    for batch in batches:
        found = forward_losses(model, batch, precision)
        size = float(batch.frame_mask.sum())
        frames += size
        for name, value in {
            "frames": float(found.frames),
            "prosody": float(found.prosody),
            **found.terms,
        }.items():
            totals[name] = totals.get(name, 0.0) + value * size
    model.train(training)
    return {name: value / frames for name, value in totals.items()}


def cosine(step: int, *, steps: int, peak: float, warmup: int) -> float:
    """Linear warm-up, then half a cosine to nothing at `steps`; `step` counts from 1."""
    if step <= warmup:
        return peak * step / warmup
    progress = min(1.0, (step - warmup) / max(1, steps - warmup + 1))
    return peak * 0.5 * (1.0 + math.cos(math.pi * progress))


def trapezoid(step: int, *, steps: int, peak: float, warmup: int, cooling: float = 0.35) -> float:
    """Warm-up, the peak, and a straight line down to nothing over the last `cooling` of the steps; the end may move before that."""
    return peak * min(1.0, step / max(1, warmup), max(0, steps + 1 - step) / max(1.0, cooling * steps))
