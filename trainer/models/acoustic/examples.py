"""Utterances as the acoustic model learns from them: symbols with frames, and the prosody that can be read off them; batches of equal length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from trainer.audio import features
from trainer.models.acoustic.model import SymbolProsody
from trainer.models.acoustic.speaker import Speaker
from trainer.models.acoustic.symbols import frame_positions

ENERGY_BANDS = 50
"""Mel bands whose level is a symbol's energy: below 4.2 kHz, which every recording has."""
PITCH_OF_UNVOICED = 0.1
"""Weight in the pitch loss of a symbol without a voiced frame; its pitch is the line between its neighbours'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One utterance: symbols, word_starts and frames (P,), its features in T frames, its speaker.

    `bands` (MELS,) is 1 where the recording has sound, `weight` how much the utterance counts.
    """

    symbols: torch.Tensor
    word_starts: torch.Tensor
    frames: torch.Tensor
    mel: torch.Tensor
    f0: torch.Tensor
    voicing: torch.Tensor
    speaker: Speaker
    bands: torch.Tensor
    weight: float = 1.0

    def __post_init__(self) -> None:
        if int(self.frames.sum()) != self.mel.shape[1]:
            raise ValueError(f"{int(self.frames.sum())} frames of symbols, {self.mel.shape[1]} of sound")

    @property
    def length(self) -> int:
        """Frames."""
        return self.mel.shape[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class AcousticBatch:
    """Examples padded to the longest, T even: masks are 0 on padding.

    symbols (batch, P) int64, word_starts and symbol_mask (batch, P), index (batch, T) int64 and positions (batch, T, POSITIONS) of
    `frame_positions`, frame_mask (batch, T); mel (batch, MELS, T), f0 and voicing (batch, T), bands (batch, MELS), weight (batch,).
    """

    symbols: torch.Tensor
    word_starts: torch.Tensor
    symbol_mask: torch.Tensor
    index: torch.Tensor
    positions: torch.Tensor
    frame_mask: torch.Tensor
    truth: SymbolProsody
    pitch_weight: torch.Tensor
    """(batch, P): how much of each symbol is voiced."""
    sounding: torch.Tensor
    """(batch, P): 1 where a symbol has a frame."""
    mel: torch.Tensor
    f0: torch.Tensor
    voicing: torch.Tensor
    bands: torch.Tensor
    weight: torch.Tensor
    speaker: Speaker


def band_mask(band_hz: float) -> torch.Tensor:
    """(MELS,): 1 for bands that lie below `band_hz`."""
    return (torch.from_numpy(features.mel_centres_hz()) < band_hz * 0.97).float()


def prosody(example: Example) -> tuple[SymbolProsody, torch.Tensor]:
    """What was spoken, per symbol (P,), relative to the speaker, and the voiced share of every symbol."""
    speaker, frames = example.speaker, example.frames.long()
    index, _ = frame_positions(frames)
    count = frames.clamp(min=1).float()
    relative = (example.mel[:ENERGY_BANDS].float() - speaker.mel_mean[:ENERGY_BANDS, None]) / speaker.mel_deviation[
        :ENERGY_BANDS, None
    ]
    pitch = (torch.log(example.f0.float()) - speaker.log_f0_mean) / speaker.log_f0_deviation
    per_frame = torch.stack([pitch, relative.mean(dim=0), example.voicing.float()], dim=1)
    sums = torch.zeros(len(frames), 3).index_add_(0, index, per_frame) / count[:, None]
    log_duration = torch.log1p(frames.float()) - speaker.log_duration
    return SymbolProsody(log_duration, sums[:, 0], sums[:, 1]), sums[:, 2]


def collate(examples: Sequence[Example]) -> AcousticBatch:
    """Examples as one batch."""
    length = max(example.length for example in examples)
    length += length % 2
    symbols = max(len(example.symbols) for example in examples)
    spoken = [prosody(example) for example in examples]
    places = [frame_positions(example.frames) for example in examples]
    return AcousticBatch(
        symbols=_padded([example.symbols.long() for example in examples], symbols),
        word_starts=_padded([example.word_starts.float() for example in examples], symbols),
        symbol_mask=_padded([torch.ones(len(example.symbols)) for example in examples], symbols),
        index=_padded([index for index, _ in places], length),
        positions=torch.stack(
            [torch.nn.functional.pad(positions, (0, 0, 0, length - len(positions))) for _, positions in places]
        ),
        frame_mask=_padded([torch.ones(example.length) for example in examples], length),
        truth=SymbolProsody(*(_padded([one[0][field] for one in spoken], symbols) for field in range(3))),
        pitch_weight=_padded([share.clamp(min=PITCH_OF_UNVOICED) for _, share in spoken], symbols),
        sounding=_padded([(example.frames > 0).float() for example in examples], symbols),
        mel=torch.stack(
            [torch.nn.functional.pad(example.mel.float(), (0, length - example.length)) for example in examples]
        ),
        f0=_padded([example.f0.float() for example in examples], length, value=features.UNVOICED_F0_HZ),
        voicing=_padded([example.voicing.float() for example in examples], length),
        bands=torch.stack([example.bands for example in examples]),
        weight=torch.tensor([example.weight for example in examples]),
        speaker=Speaker.stack([example.speaker for example in examples]),
    )


def epoch(lengths: Sequence[int], *, frames: int, generator: torch.Generator, jitter: float = 0.1) -> list[list[int]]:
    """Indices of utterances of about equal length, at most `frames` padded frames a batch (at least one utterance), in random order."""
    noise = 1.0 + jitter * (2.0 * torch.rand(len(lengths), generator=generator, dtype=torch.float64) - 1.0)
    order = torch.argsort(torch.tensor(lengths, dtype=torch.float64) * noise, stable=True).tolist()
    batches: list[list[int]] = []
    current: list[int] = []
    longest = 0
    for index in order:
        longest = max(longest, lengths[index])
        if current and longest * (len(current) + 1) > frames:
            batches.append(current)
            current, longest = [], lengths[index]
        current.append(index)
    batches.append(current)
    shuffled = torch.randperm(len(batches), generator=generator).tolist()
    return [batches[position] for position in shuffled]


def _padded(rows: Sequence[torch.Tensor], length: int, value: float = 0.0) -> torch.Tensor:
    return torch.stack([torch.nn.functional.pad(row, (0, length - len(row)), value=value) for row in rows])
