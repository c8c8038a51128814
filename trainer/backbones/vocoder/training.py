"""Training of the vocoder on one voice: what one step of it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from trainer.backbones.vocoder.settings import TrainSettings
from trainer.dataset.loading import Utterance, random_batch
from trainer.models.vocoder import Vocoder, VocoderConfig
from trainer.models.vocoder.copy_synthesis import BETAS, batch_loss, heldout_loss
from trainer.training import determinism
from trainer.training.best_loop import BestLoop
from trainer.training.held_out import HeldOut


@dataclass(slots=True, kw_only=True)
class Trainer(BestLoop):
    """A vocoder from an untrained start."""

    settings: TrainSettings
    utterances: Sequence[Utterance]
    held_out: HeldOut
    device: torch.device = field(init=False)
    model: Vocoder = field(init=False)

    def __post_init__(self) -> None:
        self.device = determinism.choose_device(self.settings.device)
        config = VocoderConfig(width=self.settings.width, hidden=self.settings.hidden, blocks=self.settings.blocks)
        self.model = Vocoder.untrained(config, seed=self.seed).to(self.device)
        self.begin(betas=BETAS)

    def gradient(self) -> float:
        """Of the spectral loss on random segments."""
        size, frames = self.settings.batch_size, self.settings.segment_frames
        batch = random_batch(self.utterances, size=size, frames=frames, generator=self.generator)
        return self.backward(batch_loss(self.model, batch, self.generator))

    def loss_on(self, utterances: Sequence[Utterance]) -> float:
        """As `copy_synthesis.heldout_loss`."""
        return heldout_loss(self.model, utterances)
