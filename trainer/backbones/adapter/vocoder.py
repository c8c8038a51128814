"""Fine-tuning of the vocoder: first on the recording's own features, then also on what the adapted acoustic model makes of its text."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from trainer.audio import features
from trainer.backbones.adapter.settings import AdaptationSettings
from trainer.backbones.adapter.spoken import Spoken
from trainer.backbones.adapter.statistics import predict
from trainer.dataset import loading
from trainer.dataset.loading import Batch, Utterance
from trainer.errors import NonFiniteGradient, TrainingError
from trainer.models.acoustic import AcousticModel
from trainer.models.acoustic.examples import Example
from trainer.models.acoustic.optimise import cosine
from trainer.models.vocoder import Vocoder, spectral_loss
from trainer.models.vocoder.copy_synthesis import heldout_loss
from trainer.models.vocoder.excitation import white_noise
from trainer.training import determinism

BETAS = (0.8, 0.99)
GRADIENT_CLIP = 1.0
_WARMUP = 10


@dataclass(slots=True, kw_only=True)
class VocoderAdaptation:
    """Both vocoder phases; `own` are the training utterances with predicted spectra, needed from step `vocoder_steps` on."""

    settings: AdaptationSettings
    seed: int
    base: Vocoder
    training: Sequence[Utterance]
    held_out: Sequence[Utterance]
    own: Sequence[Utterance] = ()
    done: int = 0
    model: Vocoder = field(init=False)
    optimiser: torch.optim.AdamW = field(init=False)

    def __post_init__(self) -> None:
        self.model = copy.deepcopy(self.base).train()
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=0.0, betas=BETAS)

    @property
    def steps(self) -> int:
        """Of both phases."""
        return self.settings.vocoder_steps + self.settings.vocoder_own_steps

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to do."""
        return self.done >= self.steps

    def step(self) -> float:
        """One update; returns its loss. Raises TrainingError(non_finite_loss)."""
        generator = determinism.generator(self.seed * 1_000_003 + 500_000 + self.done)
        batch = self._batch(generator)
        self.done += 1
        noise = white_noise(batch.wave.shape[1], batch=len(batch.wave), generator=generator)
        loss = spectral_loss(self.model(batch.mel, batch.f0, batch.voicing, noise), batch.wave)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise TrainingError(f"the vocoder's loss at step {self.done} is {value}", cause="non_finite_loss")
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), GRADIENT_CLIP)
        if not bool(torch.isfinite(norm)):
            raise NonFiniteGradient(f"the vocoder's gradient at step {self.done} is not finite")
        for group in self.optimiser.param_groups:
            group["lr"] = cosine(
                self.done, steps=self.steps, peak=self.settings.vocoder_learning_rate, warmup=_WARMUP
            )
        self.optimiser.step()
        return value

    def finish(self) -> tuple[Vocoder, float]:
        """The adapted vocoder in evaluation mode and its held-out loss."""
        loss = heldout_loss(self.model, self.held_out)
        return self.model.eval(), loss

    def state(self) -> dict[str, Any]:
        """Everything that the remaining steps depend on."""
        return {
            "done": self.done,
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned, bit by bit as if there had been no break."""
        self.done = state["done"]
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])

    def _batch(self, generator: torch.Generator) -> Batch:
        size, frames = self.settings.vocoder_batch, self.settings.vocoder_frames
        if self.done < self.settings.vocoder_steps or not self.own:
            return loading.random_batch(self.training, size=size, frames=frames, generator=generator)
        half = max(1, size // 2)
        parts = [
            loading.random_batch(self.own, size=half, frames=frames, generator=generator),
            loading.random_batch(self.training, size=size - half, frames=frames, generator=generator),
        ] if size > 1 else [loading.random_batch(self.own, size=1, frames=frames, generator=generator)]
        return Batch(
            wave=torch.cat([part.wave for part in parts]),
            mel=torch.cat([part.mel for part in parts]),
            f0=torch.cat([part.f0 for part in parts]),
            voicing=torch.cat([part.voicing for part in parts]),
        )


def own_spectra(
    model: AcousticModel, spoken: Sequence[Spoken], examples: Sequence[Example]
) -> list[Utterance]:
    """The recording's waves, F0 and voicing with the model's spectra for the same words at the same times."""
    made = []
    floor = math.log(features.LOG_FLOOR)
    for one, example in zip(spoken, examples, strict=True):
        found = predict(model, example, true_prosody=True)
        speaker = example.speaker
        mel = found.frames.mel[0, :, : example.length] * speaker.mel_gain[:, None] + speaker.mel_shift[:, None]
        spectrum = replace(one.utterance.features, mel=mel.clamp(min=floor))
        made.append(replace(one.utterance, features=spectrum))
    return made
