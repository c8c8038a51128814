"""Copy synthesis: real speech through the vocoder, and how far what comes out lies from it."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from trainer.audio.features import HOP
from trainer.dataset.loading import Utterance
from trainer.models.vocoder.excitation import white_noise
from trainer.models.vocoder.losses import spectral_loss
from trainer.models.vocoder.model import Vocoder

NOISE_SEED = 20_240
"""Seed of the noise excitation in every evaluation: losses of different steps, runs and machines stay comparable."""


@torch.no_grad()
def heldout_loss(model: Vocoder, utterances: Sequence[Utterance]) -> float:
    """Spectral loss of whole utterances, weighted by their length; the same weights and speech give the same number."""
    device = next(model.parameters()).device
    model.eval()
    total, samples = 0.0, 0
    for index, utterance in enumerate(utterances):
        wave = synthesise(model, utterance, seed=NOISE_SEED + index)
        loss = spectral_loss(wave, utterance.wave[None].to(device))
        total += float(loss) * len(utterance.wave)
        samples += len(utterance.wave)
    model.train()
    return total / samples


@torch.no_grad()
def synthesise(model: Vocoder, utterance: Utterance, *, seed: int) -> torch.Tensor:
    """Copy synthesis: the utterance's features through the model, (1, samples)."""
    device = next(model.parameters()).device
    mel, f0, voicing = (
        part[None].to(device)
        for part in (utterance.features.mel, utterance.features.f0, utterance.features.voicing)
    )
    noise = white_noise((f0.shape[1] - 1) * HOP, batch=1, generator=torch.Generator(device="cpu").manual_seed(seed)).to(device)
    return model(mel, f0, voicing, noise)
