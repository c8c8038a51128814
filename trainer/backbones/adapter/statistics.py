"""Predictions are smoother than speech; per-band affine maps give them the speaker's own spread back (global variance, Toda and Tokuda 2007)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from trainer.models.acoustic import AcousticModel, Speaker
from trainer.models.acoustic.examples import Example, collate
from trainer.models.acoustic.model import Prediction
from trainer.models.acoustic.speaker import speech_frames

STRONGEST = 1.6
"""No band's deviation grows by more."""
STRONGEST_F0 = 1.1
"""More makes the pitch of single frames flutter: DNSMOS fell by 0.15 at 1.5."""


@torch.no_grad()
def with_own_variance(model: AcousticModel, examples: Sequence[Example], speaker: Speaker) -> Speaker:
    """`speaker` with gains and shifts that bring predictions for `examples`, with their prosody predicted too, to the recording's spread."""
    model.eval()
    ours, theirs, our_f0, their_f0 = [], [], [], []
    for one in examples:
        prediction = predict(model, one)
        speech = speech_frames(one.mel)
        voiced = one.voicing > 0
        ours.append(prediction.frames.mel[0, :, : one.length][:, speech])
        theirs.append(one.mel.float()[:, speech])
        our_f0.append(prediction.frames.log_f0[0, : one.length][voiced])
        their_f0.append(torch.log(one.f0.float()[voiced]))
    mel, real = torch.cat(ours, dim=1).double(), torch.cat(theirs, dim=1).double()
    gain = (real.std(dim=1) / mel.std(dim=1).clamp(min=1e-3)).clamp(1.0, STRONGEST)
    shift = real.mean(dim=1) - gain * mel.mean(dim=1)
    melody, real_melody = torch.cat(our_f0).double(), torch.cat(their_f0).double()
    f0_gain = torch.ones((), dtype=torch.float64)
    if len(melody) > 1:
        f0_gain = (real_melody.std() / melody.std().clamp(min=1e-3)).clamp(1.0, STRONGEST_F0)
    return replace(speaker, mel_gain=gain.float(), mel_shift=shift.float(), f0_gain=f0_gain.float())


@torch.no_grad()
def predict(model: AcousticModel, one: Example, *, true_prosody: bool = False) -> Prediction:
    """What the model says for an utterance at its recorded durations, with its own pitch and energy or the recorded ones."""
    batch = collate([one])
    if true_prosody:
        return model(batch)
    voice = model.prosody_voice(batch.speaker.embedding)
    symbols = model.prosody(batch.symbols, batch.word_starts, batch.symbol_mask[:, :, None], voice)
    return model(replace(batch, truth=symbols))
