"""A voice that has learnt nothing but to be heard: random weights, voiced throughout, about 75 ms a symbol."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from trainer.files import checkpoint
from trainer.models.natural import NaturalConfig, NaturalModel
from trainer.models.natural.model import ENERGY_ROWS
from trainer.models.natural.sound import BINS
from trainer.voice.natural_document import document
from trainer.voice.natural_speaker import NaturalSpeaker

TINY = NaturalConfig(
    text_width=8, text_rounds=1, melody_width=8, melody_rounds=1, width=16, hidden=24, blocks=1, kernel=3
)


def write(path: Path, **changes: Any) -> Path:
    """A checkpoint at `path`; `changes` as those of `contents`."""
    checkpoint.save(path, contents(**changes))
    return path


def contents(
    config: NaturalConfig = TINY, *, voiced: bool = True, level: float = 1.3, log_duration: float = 1.4
) -> dict[str, Any]:
    """The document that `write` writes: `level` is the mean log magnitude, `log_duration` the mean of log(1 + text frames)."""
    model = NaturalModel.untrained(config, seed=1)
    with torch.no_grad():
        for last in (model.decoder.output, model.melody.output, model.melody.duration):
            last.weight.mul_(0.3)
        model.melody.duration.bias.fill_(log_duration)
        model.melody.output.bias.fill_(1.2 if voiced else 0.0)  # hundreds of Hz
        model.melody.output.bias[ENERGY_ROWS] = -1.0
        harmonic, _, noise, residual, _ = model.decoder.output.bias.split(BINS)
        harmonic.fill_(level)
        noise.fill_(level - 3.0)
        residual.fill_(-20.0)
    return document(model=model, speaker=NaturalSpeaker(), training={})
