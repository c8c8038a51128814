"""The loop of an acoustic model: both networks learn from their own losses, nothing is shared but the forward pass."""

from __future__ import annotations

import copy
from abc import abstractmethod
from dataclasses import dataclass, field

import torch

from trainer.models.acoustic import AcousticModel
from trainer.models.acoustic.examples import AcousticBatch
from trainer.models.acoustic.losses import Losses, forward_losses
from trainer.training.loop import Loop

BETAS = (0.9, 0.98)
"""As usual for transformers: 0.98 forgets the gradient's size within 50 steps, which the warm-up needs."""
WEIGHT_DECAY = 0.01


@dataclass(slots=True, kw_only=True)
class AcousticLoop(Loop):
    """AdamW over the model's parts; a part whose rate is 0 stays as it is."""

    model: AcousticModel = field(init=False)
    average: AcousticModel = field(init=False)
    precision: torch.dtype = field(init=False)
    """Of the networks; the losses are computed in float32."""

    @abstractmethod
    def batch(self) -> AcousticBatch:
        """What this step learns from."""

    def adopt(self, start: AcousticModel, *, bfloat16: bool) -> None:
        """Train a copy of `start`, with another copy as its average."""
        self.model = copy.deepcopy(start).train().requires_grad_(True)
        self.average = copy.deepcopy(start).eval().requires_grad_(False)
        self.precision = torch.bfloat16 if bfloat16 else torch.float32
        groups = []
        for name, parameters in self.parts().items():
            # Decay holds matrices small, which only scale each other; a gain or an offset pulled to zero would change what a layer does.
            decayed, plain = [one for one in parameters if one.dim() > 1], [one for one in parameters if one.dim() <= 1]
            groups.append({"params": decayed, "weight_decay": WEIGHT_DECAY, "part": name})
            groups.append({"params": plain, "weight_decay": 0.0, "part": name})
        self.begin(groups, betas=BETAS, fused=True)

    def parts(self) -> dict[str, list[torch.nn.Parameter]]:
        """Both networks; no weight is in two parts."""
        return {
            name: [parameter for module in modules for parameter in module.parameters()]
            for name, modules in self.model.parts.items()
        }

    def gradient(self) -> float:
        """Of the losses of every part that has a rate; returns the sum of both losses."""
        batch, rates = self.batch(), self.rates()
        for name, parameters in self.parts().items():
            for parameter in parameters:
                parameter.requires_grad_(rates[name] > 0)
        found = forward_losses(self.model, batch, self.precision)
        active = [getattr(found, name) for name in self.model.parts if rates[name] > 0]
        if active:
            self.backward(sum(active))
        self.heard(found)
        return float((found.frames + found.prosody).detach())

    def heard(self, found: Losses) -> None:
        """Told the losses of every batch."""
