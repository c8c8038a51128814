"""Copy synthesis: real speech through the vocoder, and how far what comes out lies from it."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from trainer.audio.features import HOP
from trainer.dataset.loading import Batch, Utterance
from trainer.models.vocoder.excitation import white_noise
from trainer.models.vocoder.losses import spectral_loss
from trainer.models.vocoder.model import Vocoder

BETAS = (0.8, 0.99)
"""AdamW's decay rates as usual for vocoders: the first is low because every batch asks for another direction."""
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


def batch_loss(model: Vocoder, batch: Batch, generator: torch.Generator) -> torch.Tensor:
    """Spectral loss of a training batch, its noise excitation drawn from `generator`."""
    device = next(model.parameters()).device
    batch = batch.to(device)
    noise = white_noise(batch.wave.shape[1], batch=len(batch.wave), generator=generator).to(device)
    # On CUDA the network runs in bfloat16; envelopes, synthesis and losses stay in float32 (Vocoder.residual casts back).
    with torch.autocast(device_type="cuda", dtype=torch.bfloat16, enabled=device.type == "cuda"):
        residual = model.residual(batch.mel, batch.f0, batch.voicing)
    return spectral_loss(model.synthesise(batch.mel, batch.f0, batch.voicing, noise, residual), batch.wave)


@torch.no_grad()
def synthesise(model: Vocoder, utterance: Utterance, *, seed: int) -> torch.Tensor:
    """Copy synthesis: the utterance's features through the model, (1, samples)."""
    device = next(model.parameters()).device
    mel, f0, voicing = (
        part[None].to(device) for part in (utterance.features.mel, utterance.features.f0, utterance.features.voicing)
    )
    noise = white_noise((f0.shape[1] - 1) * HOP, batch=1, generator=torch.Generator(device="cpu").manual_seed(seed)).to(
        device
    )
    return model(mel, f0, voicing, noise)
