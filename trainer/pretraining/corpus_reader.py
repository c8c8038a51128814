"""The corpus of a pretraining in memory; the folder may grow while it is read."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from trainer.audio import features
from trainer.errors import DataError
from trainer.files import checkpoint
from trainer.models.acoustic.examples import Example, band_mask
from trainer.models.acoustic.speaker import Speaker, measure

EMBEDDED = 4
"""Waves of each speaker that its embedding is the mean of."""
STATISTICS_FROM = 60
"""Utterances that a speaker's statistics are measured on."""

Embed = Callable[[np.ndarray], np.ndarray]


@dataclass(slots=True, kw_only=True)
class CorpusReader:
    """Shards of `folder` read so far; `refresh` looks for more."""

    folder: Path
    embed: Embed
    cache: Path | None = None
    """File that keeps speaker embeddings between runs."""
    entries: list[dict[str, Any]] = field(default_factory=list)
    waves: dict[str, list[torch.Tensor]] = field(default_factory=lambda: defaultdict(list))
    """int16 waves by speaker, to embed."""
    _read: set[str] = field(default_factory=set)
    _embeddings: dict[str, dict[str, Any]] = field(default_factory=dict)

    def refresh(self) -> int:
        """Read new shards; returns how many utterances came. Raises DataError(corpus_invalid) for a folder that is none."""
        before = len(self.entries)
        for path in sorted([*self.folder.glob("shard_*.pt"), *self.folder.glob("heldout_*.pt")]):
            if path.name in self._read:
                continue
            for entry in torch.load(path, weights_only=True):
                entry["held_out"] = path.name.startswith("heldout_")
                wave = entry.pop("wave", None)
                if wave is not None and len(self.waves[entry["speaker"]]) < EMBEDDED:
                    self.waves[entry["speaker"]].append(wave)
                if len(entry["symbols"]) and int(entry["frames"].sum()) == entry["mel"].shape[1]:
                    self.entries.append(entry)
            self._read.add(path.name)
        return len(self.entries) - before

    def described(self) -> dict[str, dict[str, Any]]:
        """Speakers of `corpus.json` by name."""
        path = self.folder / "corpus.json"
        try:
            speakers = json.loads(path.read_text("utf-8"))["speakers"]
        except (OSError, ValueError, KeyError) as error:
            raise DataError(f"{path} does not describe a corpus: {error}", cause="corpus_invalid") from error
        return {one["name"]: one for one in speakers}

    def speakers(self) -> dict[str, Speaker]:
        """Every speaker that has a wave to embed, measured on its first utterances."""
        grouped: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for entry in self.entries:
            if len(grouped[entry["speaker"]]) < STATISTICS_FROM:
                grouped[entry["speaker"]].append(entry)
        embeddings = self._embed(set(grouped))
        return {
            name: measure(
                [
                    (
                        features.Features(mel=one["mel"].float(), f0=one["f0"].float(), voicing=one["voicing"].float()),
                        one["symbols"].long(),
                        one["frames"].long(),
                    )
                    for one in entries
                ],
                embeddings[name],
            )
            for name, entries in grouped.items()
            if name in embeddings
        }

    def examples(self, weights: dict[str, float]) -> tuple[list[Example], list[Example], list[float]]:
        """(training, held out, how often each training example is drawn in an epoch): `weights` by the speakers' kind."""
        speakers, described = self.speakers(), self.described()
        training: list[Example] = []
        held_out: list[Example] = []
        drawn: list[float] = []
        for entry in self.entries:
            name = entry["speaker"]
            if name not in speakers or name not in described:
                continue
            about = described[name]
            example = Example(
                symbols=entry["symbols"],
                word_starts=entry["word_starts"],
                frames=entry["frames"],
                mel=entry["mel"],
                f0=entry["f0"],
                voicing=entry["voicing"],
                speaker=speakers[name],
                bands=band_mask(float(about.get("band_hz", features.MEL_HIGH_HZ))),
                weight=float(entry.get("confidence", 1.0)),
            )
            if entry["held_out"]:
                held_out.append(example)
            else:
                training.append(example)
                drawn.append(weights.get(about["kind"], 1.0))
        return training, held_out, drawn

    def _embed(self, names: set[str]) -> dict[str, torch.Tensor]:
        if self.cache is not None and self.cache.is_file() and not self._embeddings:
            self._embeddings = checkpoint.read_container(self.cache)
        changed = False
        for name in sorted(names):
            waves = self.waves.get(name, [])[:EMBEDDED]
            known = self._embeddings.get(name)
            if waves and (known is None or known["waves"] < len(waves)):
                vectors = [self.embed(wave.numpy().astype(np.float32) / 32_768.0) for wave in waves]
                self._embeddings[name] = {
                    "waves": len(waves),
                    "mean": torch.from_numpy(np.mean(vectors, axis=0).astype(np.float32)),
                }
                changed = True
        if changed and self.cache is not None:
            checkpoint.save(self.cache, self._embeddings)
        return {name: self._embeddings[name]["mean"] for name in names if name in self._embeddings}


def epoch_indices(drawn: list[float], generator: torch.Generator) -> list[int]:
    """Each index as often as its weight says: the whole part surely, the rest by chance."""
    chances = torch.rand(len(drawn), generator=generator).tolist()
    indices: list[int] = []
    for index, (weight, chance) in enumerate(zip(drawn, chances, strict=True)):
        indices.extend([index] * (int(weight) + (chance < weight - int(weight))))
    return indices
