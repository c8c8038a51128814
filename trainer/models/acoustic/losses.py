"""What the two networks of the acoustic model are trained on; both losses are means over what is not padding."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch.nn import functional as F

from trainer.models.acoustic.examples import AcousticBatch
from trainer.models.acoustic.model import AcousticModel, FramePrediction, Prediction, SymbolProsody

QUIET = -9.5
"""Log-mel below which one silence is as good as another: recordings differ there by their noise, not by their speaker."""
SQUARE, SLOPE = 0.2, 0.25
"""Weights beside the mel L1: squares, against rare large errors; and differences in time, against smoothness."""
F0, VOICING = 0.1, 0.3
"""Small: log-F0 is counted in the speaker's deviations and would drown the spectrum; voicing over-fits first."""
PITCH, ENERGY = 0.3, 0.3
"""Below the duration's 1: a wrong rhythm is heard more than a wrong accent."""


class Losses(NamedTuple):
    """One number per network, and their terms for a log."""

    frames: torch.Tensor
    prosody: torch.Tensor
    terms: dict[str, float]


def losses(prediction: Prediction, batch: AcousticBatch) -> Losses:
    """Both losses of a batch; every utterance counts by its length and weight."""
    frames, frame_terms = frame_loss(prediction.frames, batch)
    prosody, prosody_terms = prosody_loss(prediction.symbols, batch)
    return Losses(frames, prosody, {**frame_terms, **prosody_terms})


def forward_losses(model: AcousticModel, batch: AcousticBatch, precision: torch.dtype) -> Losses:
    """Losses of a batch with the networks in `precision` and the losses in float32."""
    device = next(model.parameters()).device
    with torch.autocast(device.type, torch.bfloat16, enabled=precision == torch.bfloat16):
        prediction = model(batch)
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


def frame_loss(predicted: FramePrediction, batch: AcousticBatch) -> tuple[torch.Tensor, dict[str, float]]:
    """Mel L1 (plus a little square and slope), log-F0 L1 in voiced frames relative to the speaker's deviation, voicing cross entropy."""
    weight = batch.frame_mask * batch.weight[:, None]
    cells = weight[:, None, :] * batch.bands[:, :, None]
    ours, theirs = predicted.mel.clamp(min=QUIET), batch.mel.clamp(min=QUIET)
    # The gradient of clamp is zero below the floor: what should be louder and is not must still move.
    ours = torch.where(theirs > QUIET, predicted.mel, ours)
    error = ours - theirs
    mel = _mean(error.abs(), cells)
    square = _mean(error.square(), cells)
    slope = _mean((error[:, :, 1:] - error[:, :, :-1]).abs(), cells[:, :, 1:])
    deviation = batch.speaker.log_f0_deviation[:, None]
    f0 = _mean(((predicted.log_f0 - torch.log(batch.f0)) / deviation).abs(), weight * batch.voicing)
    voicing = _mean(F.binary_cross_entropy_with_logits(predicted.voicing, batch.voicing, reduction="none"), weight)
    total = mel + SQUARE * square + SLOPE * slope + F0 * f0 + VOICING * voicing
    return total, {"mel": float(mel.detach()), "f0": float(f0.detach()), "voicing": float(voicing.detach())}


def prosody_loss(predicted: SymbolProsody, batch: AcousticBatch) -> tuple[torch.Tensor, dict[str, float]]:
    """Smooth L1 of log duration; squares of pitch where voiced and of energy where there is a frame."""
    weight = batch.symbol_mask * batch.weight[:, None]
    duration = _mean(
        F.smooth_l1_loss(predicted.log_duration, batch.truth.log_duration, reduction="none", beta=0.3), weight
    )
    pitch = _mean(
        F.smooth_l1_loss(predicted.pitch, batch.truth.pitch, reduction="none"),
        weight * batch.pitch_weight * batch.sounding,
    )
    energy = _mean(F.smooth_l1_loss(predicted.energy, batch.truth.energy, reduction="none"), weight * batch.sounding)
    total = duration + PITCH * pitch + ENERGY * energy
    terms = {
        "duration": float(duration.detach()),
        "pitch": float(pitch.detach()),
        "energy": float(energy.detach()),
    }
    return total, terms


def _mean(values: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return (values * weight).sum() / weight.sum().clamp(min=1e-6)
