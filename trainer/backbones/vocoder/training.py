"""Training of the vocoder on one voice: what one step of it is; the loop is `trainer.training.loop`'s."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch

from trainer.backbones.vocoder.evaluation import HeldOut
from trainer.backbones.vocoder.settings import TrainSettings
from trainer.dataset.loading import Batch, Utterance, random_batch
from trainer.models.vocoder import Vocoder, VocoderConfig, spectral_loss
from trainer.models.vocoder.copy_synthesis import heldout_loss
from trainer.models.vocoder.excitation import white_noise
from trainer.training import determinism
from trainer.training.loop import TrainingLoop

BETAS = (0.8, 0.99)
"""AdamW's decay rates as usual for vocoders: the first is low because every batch asks for another direction."""


@dataclass(slots=True, kw_only=True)
class Trainer(TrainingLoop):
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
        batch = random_batch(
            self.utterances,
            size=self.settings.batch_size,
            frames=self.settings.segment_frames,
            generator=self.generator,
        ).to(self.device)
        noise = white_noise(batch.wave.shape[1], batch=len(batch.wave), generator=self.generator).to(self.device)
        loss = self._loss(batch, noise)
        value = float(loss.detach())
        self.require_finite(value)
        loss.backward()
        return value

    def parameters(self) -> list[torch.nn.Parameter]:
        """All of the vocoder's."""
        return list(self.model.parameters())

    def weights(self) -> dict[str, torch.Tensor]:
        """The vocoder's."""
        return {name: value.detach().clone() for name, value in self.model.state_dict().items()}

    def put(self, weights: Mapping[str, torch.Tensor]) -> None:
        """Into the vocoder."""
        self.model.load_state_dict(weights)

    def loss_on(self, utterances: Sequence[Utterance]) -> float:
        """As `copy_synthesis.heldout_loss`."""
        return heldout_loss(self.model, utterances)

    def _loss(self, batch: Batch, noise: torch.Tensor) -> torch.Tensor:
        # On CUDA the network runs in bfloat16; envelopes, synthesis and losses stay in float32 (Vocoder.residual casts back).
        with torch.autocast(device_type="cuda", dtype=torch.bfloat16, enabled=self.device.type == "cuda"):
            residual = self.model.residual(batch.mel, batch.f0, batch.voicing)
        wave = self.model.synthesise(batch.mel, batch.f0, batch.voicing, noise, residual)
        return spectral_loss(wave, batch.wave)
