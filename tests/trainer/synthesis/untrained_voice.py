"""A voice that has learnt nothing but to be heard: random weights, vowels voiced, about six frames a phone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from trainer.audio.features import MELS
from trainer.files import checkpoint
from trainer.models.acoustic import AcousticConfig, AcousticModel, Speaker
from trainer.models.acoustic.model import OUTPUTS
from trainer.models.vocoder import Vocoder, VocoderConfig
from trainer.voice.document import document

TINY_ACOUSTIC = AcousticConfig(
    width=16,
    hidden=16,
    encoder_blocks=1,
    decoder_blocks=1,
    prosody_width=8,
    prosody_hidden=8,
    prosody_blocks=1,
    speaker=4,
)
TINY_VOCODER = VocoderConfig(width=8, hidden=8, blocks=1, kernel=3)


def write(
    path: Path,
    *,
    acoustic: AcousticConfig = TINY_ACOUSTIC,
    vocoder: VocoderConfig = TINY_VOCODER,
    voiced: bool = True,
    log_mel: float = -3.0,
    log_duration: float = 2.0,
) -> Path:
    """A checkpoint at `path`: `log_mel` is its mean spectrum, `log_duration` the mean of log(1 + frames)."""
    checkpoint.save(path, contents(acoustic, vocoder, voiced=voiced, log_mel=log_mel, log_duration=log_duration))
    return path


def contents(
    acoustic: AcousticConfig = TINY_ACOUSTIC,
    vocoder: VocoderConfig = TINY_VOCODER,
    *,
    voiced: bool = True,
    log_mel: float = -3.0,
    log_duration: float = 2.0,
) -> dict[str, Any]:
    """The document that `write` writes."""
    model = AcousticModel.untrained(acoustic, seed=1)
    with torch.no_grad():
        model.decoder.output.weight.mul_(0.3)
        model.decoder.output.bias[MELS + 1 :: OUTPUTS] = 4.0 if voiced else -4.0
        model.prosody.output.weight.mul_(0.3)
    embedding = torch.randn(256, generator=torch.Generator().manual_seed(1))
    speaker = Speaker(
        embedding=embedding / torch.linalg.vector_norm(embedding),
        mel_mean=torch.full((MELS,), log_mel),
        mel_deviation=torch.full((MELS,), 1.0),
        log_f0_mean=torch.tensor(4.8),
        log_f0_deviation=torch.tensor(0.2),
        log_duration=torch.tensor(log_duration),
        mel_gain=torch.ones(MELS),
        mel_shift=torch.zeros(MELS),
        f0_gain=torch.tensor(1.0),
    )
    return document(
        acoustic=model,
        vocoder=Vocoder.untrained(vocoder, seed=1),
        speaker=speaker,
        training={},
    )
