"""The proof that an adaptation learnt this speaker: what base and voice say against what was said, by the speaker and by somebody else.

What is judged is the voice that will speak, not a part of it: recorded symbols, times, pitch and loudness go through its acoustic model, its
speaker and its vocoder to a wave, and the loss is the distance of that wave's spectrum from the recording's. A vocoder or a speaker that
was spoilt shows as much as an acoustic model. What that hides (the voice's own rhythm, pitch and voicing, a vocoder whose share is small) is
in the losses of the three networks beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from trainer.audio import features
from trainer.backbones.adapter.acoustic import batches
from trainer.backbones.adapter.spoken import example, in_control_voice, speaker_of
from trainer.backbones.adapter.statistics import predict
from trainer.backbones.fitting_speech import Spoken
from trainer.models.acoustic import AcousticModel, Speaker
from trainer.models.acoustic.examples import Example
from trainer.models.acoustic.losses import heldout_losses
from trainer.models.vocoder import Vocoder
from trainer.models.vocoder.copy_synthesis import NOISE_SEED, heldout_loss
from trainer.models.vocoder.excitation import white_noise
from trainer.training import determinism
from trainer.training.learning_proof import extent, proof
from trainer.voice.base import Base

PARTS = ("frames", "prosody", "vocoder")
"""The networks: spectrum, pitch and voicing of every frame; length, pitch and energy of every symbol; features to a wave."""
_STATISTICS = ("mel_mean", "mel_deviation", "log_f0_mean", "log_f0_deviation", "log_duration")

Embed = Callable[[np.ndarray], np.ndarray]
"""(n,) float32 at 22.05 kHz -> (256,)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What every voice of this speaker starts from: held-out speech of the target and of a wrong voice, and the base's losses on both."""

    target: Sequence[Spoken]
    speaker: Speaker
    control: Sequence[Spoken]
    control_speaker: Speaker
    target_loss: float
    control_loss: float
    part_losses: Mapping[str, float]


def measure_start(base: Base, held_out: Sequence[Spoken], *, speaker: Speaker, embed: Embed) -> Start:
    """The half of the proof that needs no trained weights.

    Base and voice are given the speaker's statistics and embedding, and the control voice's own: whoever merely became better at speech
    gains on both.
    """
    wrong = in_control_voice(held_out)
    other = speaker_of(wrong, mean_embedding(wrong, embed))
    return Start(
        target=held_out,
        speaker=speaker,
        control=wrong,
        control_speaker=other,
        target_loss=whole_loss(base.acoustic, base.vocoder, held_out, speaker),
        control_loss=whole_loss(base.acoustic, base.vocoder, wrong, other),
        part_losses=_part_losses(base.acoustic, base.vocoder, held_out, speaker),
    )


def losses(start: Start, acoustic: AcousticModel, vocoder: Vocoder, speaker: Speaker) -> dict[str, Any]:
    """The losses of a voice (its models and its speaker) under the keys of the `learning` block."""
    target = start.target_loss, whole_loss(acoustic, vocoder, start.target, speaker)
    control = start.control_loss, whole_loss(acoustic, vocoder, start.control, start.control_speaker)
    parts = _part_losses(acoustic, vocoder, start.target, start.speaker)
    return {
        **proof(target, control),
        **{f"{name}_loss_start": start.part_losses[name] for name in PARTS},
        **{f"{name}_loss_trained": parts[name] for name in PARTS},
        "speaker_difference": speaker_difference(speaker, start.speaker),
        **extent([one.duration_s for one in start.target]),
    }


@torch.no_grad()
def whole_loss(acoustic: AcousticModel, vocoder: Vocoder, spoken: Sequence[Spoken], speaker: Speaker) -> float:
    """Mean distance in nepers, over mel bands and frames, of what the models say in the voice of `speaker` from what was said."""
    total, frames = 0.0, 0
    modes = [(model, model.training) for model in (acoustic, vocoder)]
    acoustic.eval()
    vocoder.eval()
    for index, one in enumerate(spoken):
        recorded = example(one, speaker)
        wave = _said(acoustic, vocoder, recorded, seed=NOISE_SEED + index)
        total += float((features.log_mel(wave)[0] - recorded.mel.float()).abs().mean()) * recorded.length
        frames += recorded.length
    for model, training in modes:
        model.train(training)
    return total / frames


def _said(acoustic: AcousticModel, vocoder: Vocoder, recorded: Example, *, seed: int) -> torch.Tensor:
    """An utterance at its recorded times, pitch and energy as the voice says it: (1, samples), its frames are those of the recording."""
    speaker = recorded.speaker
    predicted = predict(acoustic, recorded, true_prosody=True).frames.mel[0, :, : recorded.length]
    mel = predicted * speaker.mel_gain[:, None] + speaker.mel_shift[:, None]
    noise = white_noise((recorded.length - 1) * features.HOP, batch=1, generator=determinism.generator(seed))
    return vocoder(mel[None], recorded.f0.float()[None], recorded.voicing.float()[None], noise)


def _part_losses(
    acoustic: AcousticModel, vocoder: Vocoder, spoken: Sequence[Spoken], speaker: Speaker
) -> dict[str, float]:
    """Each network's own loss on what was recorded, whatever the others make of it."""
    found = heldout_losses(acoustic, batches([example(one, speaker) for one in spoken]))
    return {**found, "vocoder": heldout_loss(vocoder, [one.utterance for one in spoken])}


def speaker_difference(found: Speaker, measured: Speaker) -> float:
    """How far the speaker in a voice lies from the one in the recording.

    The largest difference of a statistic (nepers; for the pace, log frames), or 1 - cosine of the embeddings where that is more.
    """
    cosine = torch.nn.functional.cosine_similarity(found.embedding, measured.embedding, dim=0)
    furthest = max(float((getattr(found, name) - getattr(measured, name)).abs().max()) for name in _STATISTICS)
    return max(0.0, 1.0 - float(cosine), furthest)


def mean_embedding(spoken: Sequence[Spoken], embed: Embed) -> torch.Tensor:
    """(256,) mean over utterances."""
    return torch.from_numpy(np.mean([embed(one.utterance.wave.numpy()) for one in spoken], axis=0).astype(np.float32))
