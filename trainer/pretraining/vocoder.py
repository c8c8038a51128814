"""Pretraining of the vocoder on waves of many speakers, human and synthetic: resumable, with averaged weights ready at any time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import soxr
import torch

from trainer.audio import features, quality, recording
from trainer.audio.features import HOP, Features
from trainer.dataset import loading
from trainer.dataset.loading import Utterance
from trainer.errors import DataError
from trainer.models.vocoder import Vocoder, VocoderConfig
from trainer.models.vocoder.copy_synthesis import BETAS, batch_loss, heldout_loss
from trainer.preparation.prepare_settings import PrepareSettings
from trainer.pretraining.loop import LAG, Pretraining
from trainer.training import determinism
from trainer.training.loop import Pace
from trainer.training.schedule import trapezoid
from trainer.voice import base

STATE = "vocoder_state.pt"
LATEST = "vocoder_latest.pt"
HELD_OUT = 12
SYNTHETIC_MINUTES = 40.0
"""Synthetic speech beside the human: enough to know every phone of every kind of voice."""


@dataclass(kw_only=True)
class VocoderPretraining(Pretraining):
    """One pretraining; `run` goes from wherever its state is to the last step."""

    names: ClassVar[tuple[str, str]] = STATE, LATEST
    form: ClassVar[str] = base.VOCODER_FORMAT

    config: VocoderConfig
    training: list[Utterance]
    held_out: list[Utterance]
    batch_size: int = 12
    segment_frames: int = 48
    steps: int = 4000
    learning_rate: float = 1.5e-3
    ema: float = 0.995
    seed: int = 1
    model: Vocoder = field(init=False)
    average: Vocoder = field(init=False)
    generator: torch.Generator = field(init=False)

    def __post_init__(self) -> None:
        self.model = Vocoder.untrained(self.config, seed=self.seed)
        self.average = Vocoder.untrained(self.config, seed=self.seed).eval()
        self.pace = Pace(
            steps=self.steps,
            peaks={"": self.learning_rate},
            warmup=50,
            schedule=trapezoid,
            evaluate_every=500,
            decay=self.ema,
            lag=LAG,
        )
        self.begin(betas=BETAS, fused=True)
        self.generator = determinism.generator(self.seed)

    @classmethod
    def of(
        cls,
        corpus: Path,
        waves: Path | None,
        folder: Path,
        *,
        steps: int | None = None,
        log: Callable[[str], None] = print,
    ) -> VocoderPretraining:
        """On the waves of a corpus and of a folder of recordings; raises DataError(corpus_invalid) where there are none."""
        found = [*synthetic(corpus, minutes=SYNTHETIC_MINUTES)]
        if waves is not None:
            found += recordings(waves)
        if len(found) <= HELD_OUT:
            raise DataError(f"{corpus} has no waves to train on", cause="corpus_invalid")
        apart = set(range(0, len(found), max(1, len(found) // HELD_OUT)))
        log(f"{len(found)} waves, {sum(one.seconds for one in found) / 60:.1f} minutes")
        settings = {} if steps is None else {"steps": steps}
        return cls(
            config=VocoderConfig(),
            training=[one for index, one in enumerate(found) if index not in apart],
            held_out=[found[index] for index in sorted(apart)],
            folder=folder,
            log=log,
            **settings,
        )

    def tell_held_out(self) -> None:
        """One loss."""
        self.log(f"held out {heldout_loss(self.average, self.held_out):.4f}")

    def gradient(self) -> float:
        """Of the spectral loss on random segments."""
        batch = loading.random_batch(
            self.training, size=self.batch_size, frames=self.segment_frames, generator=self.generator
        )
        loss = self.backward(batch_loss(self.model, batch, self.generator))
        self.count({"loss": loss})
        return loss

    def state(self) -> dict[str, Any]:
        """Also where the draws are."""
        return {**Pretraining.state(self), "generator": self.generator.get_state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from what `state` returned."""
        Pretraining.restore(self, state)
        self.generator.set_state(state["generator"])


def synthetic(corpus: Path, *, minutes: float) -> Iterator[Utterance]:
    """Utterances of a corpus that have their wave, shard by shard."""
    left = 60.0 * minutes
    for path in sorted(corpus.glob("shard_*.pt")):
        for entry in torch.load(path, weights_only=True):
            if "wave" not in entry or left <= 0:
                continue
            length = (len(entry["wave"]) // HOP) * HOP
            frames = slice(0, length // HOP + 1)
            found = Features(
                mel=entry["mel"][:, frames].float(),
                f0=entry["f0"][frames].float(),
                voicing=entry["voicing"][frames].float(),
            )
            left -= length / features.SAMPLE_RATE
            yield Utterance(wave=entry["wave"][:length].float() / 32_768.0, features=found)


def recordings(folder: Path) -> list[Utterance]:
    """Every FLAC of a folder at the common rate and loudness."""
    found = []
    for path in sorted(folder.glob("*.flac")):
        wave, rate = recording.read(path)
        moved = soxr.resample(wave.astype(np.float64), rate, features.SAMPLE_RATE, quality="HQ")
        level = quality.loudness_lufs(moved, features.SAMPLE_RATE)
        found.append(loading.from_wave(quality.normalised(moved, level, PrepareSettings()).astype(np.float32)))
    return found
