"""The few numbers that say where a speaker's pitch and loudness lie; they go into every checkpoint."""

from __future__ import annotations

import math

import torch

from trainer.audio import features
from trainer.dataset.loading import Utterance
from trainer.training import control_voice


def measure(utterances: list[Utterance]) -> dict[str, float]:
    """Median F0 in Hz, mean and deviation of log-F0 over voiced frames and of frame energy (mean log-mel) over all."""
    energy = torch.cat([utterance.features.mel.mean(dim=0) for utterance in utterances]).double()
    log_f0 = (
        torch.cat([utterance.features.f0[utterance.features.voicing > 0] for utterance in utterances])
        .double()
        .log()
    )
    if not len(log_f0):
        log_f0 = torch.tensor([math.log(features.UNVOICED_F0_HZ)], dtype=torch.float64)
    return {
        "median_f0_hz": control_voice.median_f0_hz(utterances),
        "log_f0_mean": float(log_f0.mean()),
        "log_f0_deviation": float(log_f0.std(correction=0)),
        "energy_mean": float(energy.mean()),
        "energy_deviation": float(energy.std(correction=0)),
    }
