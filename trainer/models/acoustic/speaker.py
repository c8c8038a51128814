"""What the acoustic model is told about a speaker: an embedding, and statistics that take level, pitch and pace off its shoulders.

Everything the network predicts is relative to these statistics, so that a new voice starts with its own spectrum, register and pace.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import torch

from trainer.audio import features

EMBEDDING = 256
"""Length of a GE2E speaker embedding (Wan et al. 2018)."""

_SHAPES = {
    "embedding": (EMBEDDING,),
    "mel_mean": (features.MELS,),
    "mel_deviation": (features.MELS,),
    "log_f0_mean": (),
    "log_f0_deviation": (),
    "log_duration": (),
    "mel_gain": (features.MELS,),
    "mel_shift": (features.MELS,),
    "f0_gain": (),
}
LEAST_MEL_DEVIATION = 0.3
LEAST_F0_DEVIATION = 0.05
"""Floors in nepers: a monotone or band-limited voice must not divide by nothing."""
SPEECH_BELOW_PEAK = 3.0
"""Frames whose mean log-mel lies further below the 95th percentile are pauses: they say nothing about the speaker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """One speaker, or a batch of them with a leading dimension in every field; all float32."""

    embedding: torch.Tensor
    """(256,) mean GE2E embedding of unit length."""
    mel_mean: torch.Tensor
    """(MELS,) of frames with speech."""
    mel_deviation: torch.Tensor
    """(MELS,) of frames with speech."""
    log_f0_mean: torch.Tensor
    """Over voiced frames, natural log of Hz."""
    log_f0_deviation: torch.Tensor
    log_duration: torch.Tensor
    """Mean over phones (not pauses) of log(1 + frames)."""
    mel_gain: torch.Tensor
    """(MELS,) with `mel_shift`: the affine map per band that gives predicted spectra the speaker's own variance; 1 and 0 leave them."""
    mel_shift: torch.Tensor
    f0_gain: torch.Tensor
    """Factor on the predicted deviation of log-F0 from its mean; 1 leaves it."""

    @classmethod
    def from_dict(cls, values: Mapping[str, torch.Tensor]) -> Speaker:
        """The speaker of a checkpoint; raises ValueError where a field is missing, unknown, not float32, not finite or of another shape."""
        if set(values) != set(_SHAPES):
            raise ValueError(f"a speaker has {sorted(_SHAPES)}")
        for name, value in values.items():
            if (
                not isinstance(value, torch.Tensor)
                or value.dtype != torch.float32
                or tuple(value.shape) != _SHAPES[name]
                or not bool(torch.isfinite(value).all())
            ):
                raise ValueError(f"the speaker's {name} is not {_SHAPES[name]} finite float32 values")
        if float(values["mel_deviation"].min()) <= 0 or float(values["log_f0_deviation"]) <= 0:
            raise ValueError("a speaker's deviations are positive")
        return cls(**values)

    def as_dict(self) -> dict[str, torch.Tensor]:
        """Tensors by field name, for a checkpoint."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def batch(self) -> Speaker:
        """This one speaker as a batch of one."""
        return Speaker(**{name: value[None] for name, value in self.as_dict().items()})

    @staticmethod
    def stack(speakers: Sequence[Speaker]) -> Speaker:
        """Speakers as one batch."""
        return Speaker(**{name: torch.stack([getattr(one, name) for one in speakers]) for name in _SHAPES})

    def to(self, device: torch.device) -> Speaker:
        """The same on `device`."""
        return Speaker(**{name: value.to(device) for name, value in self.as_dict().items()})


def measure(
    utterances: Sequence[tuple[features.Features, torch.Tensor, torch.Tensor]], embedding: torch.Tensor
) -> Speaker:
    """A speaker from (features, symbols (P,), frames (P,)) of its utterances and its mean embedding (256,), brought to unit length."""
    from trainer.models.acoustic.symbols import is_pause

    mel = torch.cat([part.mel[:, speech_frames(part.mel)].float() for part, _, _ in utterances], dim=1)
    voiced = [part.f0[part.voicing > 0].float() for part, _, _ in utterances]
    log_f0 = torch.cat(voiced).log()
    if len(log_f0) < 2:
        log_f0 = torch.tensor([features.UNVOICED_F0_HZ] * 2).log()
    durations = torch.cat([torch.log1p(frames[~is_pause(symbols)].float()) for _, symbols, frames in utterances])
    return Speaker(
        embedding=(embedding / torch.linalg.vector_norm(embedding)).float(),
        mel_mean=mel.mean(dim=1),
        mel_deviation=mel.std(dim=1, correction=0).clamp(min=LEAST_MEL_DEVIATION),
        log_f0_mean=log_f0.mean(),
        log_f0_deviation=log_f0.std(correction=0).clamp(min=LEAST_F0_DEVIATION),
        log_duration=durations.mean(),
        mel_gain=torch.ones(features.MELS),
        mel_shift=torch.zeros(features.MELS),
        f0_gain=torch.ones(()),
    )


def speech_frames(mel: torch.Tensor) -> torch.Tensor:
    """Which frames of (MELS, frames) hold speech by their level: (frames,) bool, at least one."""
    energy = mel.float().mean(dim=0)
    return energy >= torch.quantile(energy, 0.95) - SPEECH_BELOW_PEAK
