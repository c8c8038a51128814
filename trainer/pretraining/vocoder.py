"""Pretraining of the vocoder on waves of many speakers, human and synthetic: resumable, with averaged weights ready at any time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import soxr
import torch

from trainer.audio import features, quality, recording
from trainer.audio.features import HOP, Features
from trainer.dataset import loading
from trainer.dataset.loading import Utterance
from trainer.errors import DataError, TrainingError
from trainer.files import checkpoint
from trainer.files.checkpoint import CheckpointError
from trainer.models.acoustic.optimise import trapezoid
from trainer.models.vocoder import Vocoder, VocoderConfig, spectral_loss
from trainer.models.vocoder.excitation import white_noise
from trainer.preparation.prepare_settings import PrepareSettings
from trainer.training import determinism
from trainer.voice import base

STATE = "vocoder_state.pt"
LATEST = "vocoder_latest.pt"
HELD_OUT = 12
SYNTHETIC_MINUTES = 40.0
"""Synthetic speech beside the human: enough to know every phone of every kind of voice."""


@dataclass(slots=True, kw_only=True)
class VocoderPretraining:
    """One pretraining; `run` goes from wherever its state is to the last step."""

    config: VocoderConfig
    training: list[Utterance]
    held_out: list[Utterance]
    folder: Path
    steps: int = 4000
    learning_rate: float = 1.5e-3
    batch_size: int = 12
    segment_frames: int = 48
    ema: float = 0.995
    save_minutes: float = 4.0
    seed: int = 1
    log: Callable[[str], None] = print
    step: int = 0
    seconds: float = 0.0
    model: Vocoder = field(init=False)
    average: Vocoder = field(init=False)
    optimiser: torch.optim.AdamW = field(init=False)
    generator: torch.Generator = field(init=False)
    _sum: float = 0.0

    def __post_init__(self) -> None:
        self.model = Vocoder.untrained(self.config, seed=self.seed)
        self.average = Vocoder.untrained(self.config, seed=self.seed).eval()
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=0.0, betas=(0.8, 0.99), fused=True)
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

    def run(self, stop_requested: Callable[[], bool] = lambda: False) -> None:
        """Train to the last step, saving every few minutes and at the end or when asked to stop."""
        self.restore()
        saved = reported = time.monotonic()
        while self.step < self.steps and not stop_requested():
            started = time.monotonic()
            self._train_step()
            self.seconds += time.monotonic() - started
            if self.step % 50 == 0:
                now = time.strftime("%H:%M:%S")
                rate = 50 / (time.monotonic() - reported)
                self.log(f"{now} step {self.step} ({rate:.2f}/s) loss {self._sum / 50:.4f}")
                self._sum, reported = 0.0, time.monotonic()
            if self.step % 500 == 0:
                self.log(f"held out {self.heldout_loss():.4f}")
            if time.monotonic() - saved > 60.0 * self.save_minutes:
                self.save()
                saved = time.monotonic()
        self.save()
        self.log(f"held out {self.heldout_loss():.4f}")

    def save(self) -> None:
        """Write the state and the averaged weights, each atomically."""
        state = {
            "step": self.step,
            "seconds": self.seconds,
            "config": self.config.as_dict(),
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "generator": self.generator.get_state(),
        }
        checkpoint.save(self.folder / STATE, state)
        checkpoint.save(self.folder / LATEST, self.document())

    def document(self) -> dict[str, Any]:
        """The averaged weights in half precision, as `trainer.voice.base` ships them."""
        return {
            "format": base.VOCODER_FORMAT,
            "version": base.VERSION,
            "config": self.config.as_dict(),
            "model": {name: value.half() for name, value in self.average.state_dict().items()},
            "training": {
                "steps": self.step,
                "minutes": round(self.seconds / 60.0, 1),
                "utterances": len(self.training),
            },
        }

    def restore(self) -> None:
        """Continue from the saved state where there is one; raises CheckpointError where it does not fit."""
        try:
            state = checkpoint.read_container(self.folder / STATE)
        except CheckpointError as error:
            if error.cause == "missing":
                return
            raise
        if state["config"] != self.config.as_dict():
            raise CheckpointError("the saved state is of a vocoder of other sizes", cause="wrong_format")
        self.step, self.seconds = state["step"], state["seconds"]
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.generator.set_state(state["generator"])
        self.log(f"continuing at step {self.step}")

    @torch.no_grad()
    def heldout_loss(self) -> float:
        """Spectral loss of the averaged weights on whole held-out utterances."""
        total = 0.0
        for index, one in enumerate(self.held_out):
            noise = white_noise(len(one.wave), batch=1, generator=determinism.generator(index))
            parts = (part[None] for part in (one.features.mel, one.features.f0, one.features.voicing))
            total += float(spectral_loss(self.average(*parts, noise), one.wave[None]))
        return total / len(self.held_out)

    def _train_step(self) -> None:
        batch = loading.random_batch(
            self.training, size=self.batch_size, frames=self.segment_frames, generator=self.generator
        )
        noise = white_noise(batch.wave.shape[1], batch=len(batch.wave), generator=self.generator)
        loss = spectral_loss(self.model(batch.mel, batch.f0, batch.voicing, noise), batch.wave)
        if not bool(torch.isfinite(loss)):
            raise TrainingError(f"the loss of step {self.step + 1} is {float(loss)}", cause="non_finite_loss")
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.step += 1
        rate = trapezoid(self.step, steps=self.steps, peak=self.learning_rate, warmup=50)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.step()
        self._sum += float(loss.detach())
        decay = min(self.ema, (1 + self.step) / (20 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.model.parameters()), 1.0 - decay)


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
