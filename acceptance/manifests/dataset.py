"""A dataset in memory: clips with what identifies them, whichever manifest or folder they were read from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class Layout(StrEnum):
    """How a folder says which clips it holds and what is said in them."""

    # The output of a preparation: voice_dataset_manifest.json lists them.
    PREPARED = "prepared"
    # A metadata.csv lists them.
    TABLE = "table"
    # Every audio file is one; its text lies beside it.
    SIDECARS = "sidecars"
    # One audio file, its text beside it.
    RECORDING = "recording"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One clip. What a `voice_dataset/2` manifest does not record is None; `split` is None outside prepared datasets."""

    id: str
    path: str
    """Relative to the dataset's folder, with `/`."""
    bytes: int | None
    sha256: str
    duration_s: float
    sample_rate: int
    channels: int | None
    format: str | None
    subtype: str | None
    transcript: str
    """As training reads it: blanks collapsed; empty where nothing is known."""
    transcript_sha256: str
    """Of the transcript in UTF-8."""
    transcript_source: str
    split: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Clips in the order of their ids. `unlisted` are audio files beside them that the table or preparation does not list (None: not recorded)."""

    layout: Layout
    items: tuple[Item, ...]
    unlisted: tuple[str, ...] | None
    sha256: str
    """Of the manifest's bytes; for a folder, of those it would be given."""
    path: Path | None = None
    """The manifest that was read."""
    missing: tuple[str, ...] = field(default=(), compare=False)
    """Of a folder as it is now: ids that its table or preparation lists without there being a clip."""
    notes: tuple[str, ...] = field(default=(), compare=False)
    """Of a folder as it is now: what a person should know of how it was read."""

    @property
    def place(self) -> Path:
        """The manifest that it was read from; only for one that was."""
        assert self.path is not None, "a folder as it is now has no manifest"
        return self.path

    @property
    def minutes(self) -> float:
        """Length of all clips together."""
        return sum(item.duration_s for item in self.items) / 60.0


def text_sha256(text: str) -> str:
    """SHA-256 of a text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()
