"""Fine-tuning of the vocoder: first on the recording's own features, then also on what the adapted acoustic model makes of its text."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch

from trainer.audio import features
from trainer.backbones.adapter.settings import AdaptationSettings
from trainer.backbones.adapter.statistics import predict
from trainer.backbones.fitting_speech import Spoken
from trainer.dataset import loading
from trainer.dataset.loading import Batch, Utterance
from trainer.models.acoustic import AcousticModel
from trainer.models.acoustic.examples import Example
from trainer.models.vocoder import Vocoder
from trainer.models.vocoder.copy_synthesis import BETAS, batch_loss, heldout_loss
from trainer.training import determinism
from trainer.training.loop import Loop, Pace

_WARMUP = 10


@dataclass(slots=True, kw_only=True)
class VocoderAdaptation(Loop):
    """Both vocoder phases; `own` are the training utterances with predicted spectra, needed from step `vocoder_steps` on."""

    settings: AdaptationSettings
    seed: int
    base: Vocoder
    training: Sequence[Utterance]
    held_out: Sequence[Utterance]
    own: Sequence[Utterance] = ()
    model: Vocoder = field(init=False)

    def __post_init__(self) -> None:
        self.model = copy.deepcopy(self.base).train()
        chosen = self.settings
        steps = chosen.vocoder_steps + chosen.vocoder_own_steps
        peaks = {"": chosen.vocoder_learning_rate}
        self.pace = Pace(
            steps=steps, before=chosen.acoustic_steps, peaks=peaks, warmup=_WARMUP, save_every=chosen.save_every
        )
        self.begin(betas=BETAS)

    def gradient(self) -> float:
        """Of the spectral loss on random segments; what is drawn depends on the step alone."""
        generator = determinism.generator(self.seed * 1_000_003 + 500_000 + self.step - 1)
        return self.backward(batch_loss(self.model, self._batch(generator), generator))

    def evaluate(self) -> None:
        """At the end: the weights are broken or good, no others are kept."""
        self.require_finite(heldout_loss(self.model, self.held_out), "vocoder's held-out loss")

    def _batch(self, generator: torch.Generator) -> Batch:
        size, frames = self.settings.vocoder_batch, self.settings.vocoder_frames
        if self.step <= self.settings.vocoder_steps or not self.own:
            return loading.random_batch(self.training, size=size, frames=frames, generator=generator)
        half = max(1, size // 2)
        shares = [(self.own, half), (self.training, size - half)]
        return Batch.joined(
            [
                loading.random_batch(utterances, size=count, frames=frames, generator=generator)
                for utterances, count in shares
                if count
            ]
        )


def own_spectra(model: AcousticModel, spoken: Sequence[Spoken], examples: Sequence[Example]) -> list[Utterance]:
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
