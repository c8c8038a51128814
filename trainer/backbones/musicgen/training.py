"""Training of the adapters on one voice: what one step of it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch

from trainer.backbones.musicgen import adapters
from trainer.backbones.musicgen.base import MusicgenBase
from trainer.backbones.musicgen.evaluation import heldout_loss
from trainer.backbones.musicgen.examples import Example, loss, random_batch
from trainer.backbones.musicgen.settings import MusicgenSettings
from trainer.training import determinism
from trainer.training.best_loop import BestLoop
from trainer.training.held_out import HeldOut


@dataclass(slots=True, kw_only=True)
class AdapterTrainer(BestLoop):
    """Adapters in a base that has none yet."""

    base: MusicgenBase
    settings: MusicgenSettings
    utterances: Sequence[Example]
    held_out: HeldOut
    device: torch.device = field(init=False)

    def __post_init__(self) -> None:
        self.device = determinism.choose_device(self.settings.device)
        adapters.insert(self.base.decoder, rank=self.settings.rank, alpha=self.settings.alpha, seed=self.seed)
        self.base.model.to(self.device)
        self.begin()

    def gradient(self) -> float:
        """Of the cross entropy over all tokens of a few whole utterances, one after another."""
        batch = random_batch(
            self.utterances,
            size=self.settings.batch_size,
            prompt_dropout=self.settings.prompt_dropout,
            generator=self.generator,
        )
        frames = sum(example.codes.shape[1] for example in batch)
        total = 0.0
        for example in batch:
            # On CUDA the blocks run in bfloat16; the adapters, the loss and every evaluation stay in float32.
            with torch.autocast(device_type="cuda", dtype=torch.bfloat16, enabled=self.device.type == "cuda"):
                # Every token of the batch counts the same.
                value = loss(self.base, example) * (example.codes.shape[1] / frames)
            total += self.backward(value)
        return total

    def parts(self) -> dict[str, list[torch.nn.Parameter]]:
        """The adapters; the base is frozen."""
        return {"": list(adapters.parameters(self.base.decoder).values())}

    def weights(self) -> dict[str, torch.Tensor]:
        """The adapters'."""
        return adapters.weights(self.base.decoder)

    def load_weights(self, weights: Mapping[str, torch.Tensor]) -> None:
        """Into the base's adapters."""
        adapters.restore(self.base.decoder, weights)

    def loss_on(self, utterances: Sequence[Example]) -> float:
        """As `evaluation.heldout_loss`."""
        return heldout_loss(self.base, utterances)
