"""Classes of symbols as tensors can ask for them, and where every frame of an utterance lies within its symbols."""

from __future__ import annotations

import math

import torch

from trainer.text.phones import ID, PAUSES, SYMBOLS

COUNT = len(SYMBOLS)
POSITIONS = 4
"""Features of a frame's place within its symbol, see `frame_positions`."""
_PAUSE_IDS = tuple(ID[symbol] for symbol in PAUSES)
_SCALE = math.log(30.0)


def is_pause(symbols: torch.Tensor) -> torch.Tensor:
    """True where a symbol id is silence or punctuation: same shape, bool."""
    pauses = torch.zeros(COUNT, dtype=torch.bool, device=symbols.device)
    pauses[list(_PAUSE_IDS)] = True
    return pauses[symbols.long()]


def frame_positions(frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Durations (P,) in frames -> the symbol of every frame, (T,) int64, and (T, POSITIONS) float32.

    The features are how far through the symbol the frame lies (0 to 1), and logs of the frames since its start, until its end and of all.
    """
    frames = frames.long()
    index = torch.repeat_interleave(torch.arange(len(frames)), frames)
    starts = torch.cumsum(frames, 0) - frames
    since = torch.arange(len(index)) - starts[index]
    length = frames[index]
    until = length - 1 - since
    fraction = (since.float() + 0.5) / length.float()
    logs = [torch.log1p(value.float()) / _SCALE for value in (since, until, length)]
    return index, torch.stack([fraction, *logs], dim=1)


def even_frames(frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Durations (P,) -> `frame_positions` with the last frame doubled where their number is odd, and the number of frames.

    No size depends on a value that a trace would take for a constant, so that this is exported too.
    """
    ends = torch.cumsum(frames, 0)
    total = ends[-1]
    place = torch.arange(total + total % 2).clamp(max=total - 1)
    index = (place[:, None] >= ends[None, :]).sum(dim=1)
    length = frames[index]
    since = place - (ends[index] - length)
    fraction = (since.float() + 0.5) / length.float()
    logs = [torch.log1p(value.float()) / _SCALE for value in (since, length - 1 - since, length)]
    return index, torch.stack([fraction, *logs], dim=1), total
