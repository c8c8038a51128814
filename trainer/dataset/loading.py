"""Utterances of a manifest in memory with their features, and random segments of them as training batches."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch

from trainer.audio import clip, features
from trainer.audio.clip import ClipError
from trainer.audio.features import HOP, Features
from trainer.dataset.manifest import MAX_CLIP_BYTES
from trainer.errors import DataError
from trainer.files import plain_file

MAX_CLIP_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """One utterance: `wave` (samples,) float32, a whole number of frames long, and its features (samples / HOP + 1 frames)."""

    wave: torch.Tensor
    features: Features

    @property
    def seconds(self) -> float:
        """Duration."""
        return len(self.wave) / features.SAMPLE_RATE


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Segments of equal length: wave (batch, samples), mel (batch, MELS, frames), f0 and voicing (batch, frames)."""

    wave: torch.Tensor
    mel: torch.Tensor
    f0: torch.Tensor
    voicing: torch.Tensor

    def to(self, device: torch.device) -> Batch:
        """The same batch on `device`."""
        return Batch(**{part.name: getattr(self, part.name).to(device) for part in fields(self)})

    @staticmethod
    def joined(batches: Sequence[Batch]) -> Batch:
        """Several batches as one."""
        return Batch(**{part.name: torch.cat([getattr(one, part.name) for one in batches]) for part in fields(Batch)})


def choose(entries: Sequence[Any], *, max_seconds: float) -> list[Any]:
    """At most `max_seconds` of `entries` (objects with `duration_s`), evenly spread over their order; at least one."""
    total = sum(entry.duration_s for entry in entries)
    count = len(entries) if total <= max_seconds else max(1, int(len(entries) * max_seconds / total))
    picked = [entries[index * len(entries) // count] for index in range(count)]
    while len(picked) > 1 and sum(entry.duration_s for entry in picked) > max_seconds:
        picked.pop()
    return picked


def load(
    directory: Path, entries: Sequence[Any], *, on_progress: Callable[[int, int], None] | None = None
) -> list[Utterance]:
    """Read manifest entries whose paths are relative to `directory`, reached without a link.

    Raises DataError(manifest_invalid) where a clip is not the one listed, or holds more than the entry's `duration_s` or MAX_CLIP_S.
    """
    utterances = []
    for index, entry in enumerate(entries):
        utterances.append(from_wave(read(directory, entry)))
        if on_progress:
            on_progress(index + 1, len(entries))
    return utterances


def from_wave(wave: np.ndarray) -> Utterance:
    """An utterance with its features from (samples,) float32 at 22.05 kHz; up to one frame is cut from the end."""
    whole = whole_frames(wave)
    return Utterance(wave=torch.from_numpy(whole), features=features.extract(whole))


def whole_frames(wave: np.ndarray) -> np.ndarray:
    """(samples,) float32 without what is left over at the end of the last whole frame."""
    return np.ascontiguousarray(wave[: len(wave) // HOP * HOP], dtype=np.float32)


def random_batch(utterances: Sequence[Utterance], *, size: int, frames: int, generator: torch.Generator) -> Batch:
    """`size` segments of `frames` frames; utterances are drawn by length so that every moment of speech is equally likely."""
    lengths = torch.tensor([len(utterance.wave) for utterance in utterances], dtype=torch.float64)
    picks = torch.multinomial(lengths, size, replacement=True, generator=generator)
    offsets = torch.rand(size, generator=generator, dtype=torch.float64)
    parts = [
        _segment(utterances[pick], frames, offset)
        for pick, offset in zip(picks.tolist(), offsets.tolist(), strict=True)
    ]
    wave, mel, f0, voicing = (torch.stack(column) for column in zip(*parts, strict=True))
    return Batch(wave=wave, mel=mel, f0=f0, voicing=voicing)


def _segment(utterance: Utterance, frames: int, offset: float) -> tuple[torch.Tensor, ...]:
    available = len(utterance.wave) // HOP
    start = int(offset * (max(available - frames, 0) + 1))
    span = slice(start, start + frames + 1)
    wave = utterance.wave[start * HOP : (start + frames) * HOP]
    parts = (utterance.features.mel[:, span], utterance.features.f0[span], utterance.features.voicing[span])
    missing = frames - len(wave) // HOP
    if missing <= 0:
        return (wave, *parts)
    # Shorter than a segment: silence follows.
    mel = torch.nn.functional.pad(parts[0], (0, missing), value=float(np.log(features.LOG_FLOOR)))
    f0 = torch.cat([parts[1], parts[1][-1:].expand(missing)])
    return (
        torch.nn.functional.pad(wave, (0, missing * HOP)),
        mel,
        f0,
        torch.nn.functional.pad(parts[2], (0, missing)),
    )


def read(directory: Path, entry: Any) -> np.ndarray:
    """(samples,) float32 of one entry's clip, without features; raises DataError(manifest_invalid) as `load`."""
    path = directory / entry.path
    try:
        # Whoever wrote the manifest may be untrusted: no link is followed and no FIFO waited for.
        data = plain_file.read(path, limit=MAX_CLIP_BYTES, root=directory)
    except OSError as error:
        raise _invalid(f"{path}: {error}") from error
    if hashlib.sha256(data).hexdigest() != entry.sha256:
        raise _invalid(f"{path} is not the clip that the manifest lists")
    try:
        return _decode(path, data, entry.duration_s)
    except ClipError as error:
        if error.cause == "too_long":
            raise _invalid(f"{path} is longer than the {entry.duration_s:g} s that the manifest lists") from error
        raise _invalid(f"{path} does not decode ({error})") from error


def _decode(path: Path, data: bytes, duration_s: float) -> np.ndarray:
    """Samples of a clip that is what the manifest lists."""
    rate = features.SAMPLE_RATE
    with clip.opened(data) as file:
        if file.samplerate != rate or file.channels != 1:
            raise _invalid(f"{path} is not mono at {rate} Hz")
        if duration_s > MAX_CLIP_S:
            raise _invalid(f"{path} is listed as longer than {MAX_CLIP_S:g} s")
        return np.concatenate([block[:, 0] for block in clip.blocks(file, round(duration_s * rate) + 1)])


def _invalid(problem: str) -> DataError:
    return DataError(f"{problem}; prepare the recording again", cause="manifest_invalid")
