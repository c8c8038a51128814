"""Shards: files of a hundred utterances and more, plain containers and tensors, each usable as soon as it has its name."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from trainer.errors import DataError
from trainer.files.atomic_file import write_atomically

FORMAT = "voice-acceptance/corpus"
VERSION = 1


def write(path: Path, utterances: Sequence[dict[str, Any]]) -> None:
    """Write one shard atomically; raises TrainingError(disk_full | output_not_writable)."""
    buffer = io.BytesIO()
    torch.save(list(utterances), buffer)
    write_atomically(path, buffer.getvalue())


def read(path: Path) -> list[dict[str, Any]]:
    """The utterances of one shard; raises DataError(corpus_invalid)."""
    try:
        utterances = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch's reader raises many types for damaged archives
        raise DataError(
            f"{path}: not a readable shard; delete it and make the corpus again", cause="corpus_invalid"
        ) from error
    if not isinstance(utterances, list) or not all(isinstance(each, dict) and "mel" in each for each in utterances):
        raise DataError(
            f"{path}: not a list of utterances; delete it and make the corpus again", cause="corpus_invalid"
        )
    return utterances


def training(folder: Path) -> list[Path]:
    """The shards to train on that are finished by now, in order."""
    return sorted(folder.glob("shard_*.pt"))


def held_out(folder: Path) -> list[Path]:
    """The shards that no training may see."""
    return sorted(folder.glob("heldout_*.pt"))


def utterances(paths: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """All utterances of some shards, one shard in memory at a time."""
    for path in paths:
        yield from read(path)
