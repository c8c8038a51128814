"""Pretraining of the acoustic model: resumable, on a corpus that may grow meanwhile, with an average of the weights ready at any time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from trainer.errors import DataError
from trainer.files import checkpoint
from trainer.files.checkpoint import CheckpointError
from trainer.models.acoustic import AcousticConfig, AcousticModel
from trainer.models.acoustic.examples import AcousticBatch, Example, collate, epoch
from trainer.models.acoustic.optimise import Optimiser, heldout_losses, trapezoid
from trainer.models.acoustic.speaker import Speaker
from trainer.pretraining.corpus_reader import CorpusReader, epoch_indices
from trainer.pretraining.settings import PretrainSettings
from trainer.pretraining.team import Team
from trainer.training import determinism
from trainer.voice import base

STATE = "acoustic_state.pt"
LATEST = "acoustic_latest.pt"


@dataclass(slots=True, kw_only=True)
class AcousticPretraining:
    """One pretraining; `run` goes from wherever its state is to the last step."""

    settings: PretrainSettings
    config: AcousticConfig
    reader: CorpusReader
    folder: Path
    """Where the state and the averaged weights are written."""
    team: Team = field(default_factory=Team)
    log: Callable[[str], None] = print
    step: int = 0
    seconds: float = 0.0
    """Wall time of training so far, over all runs."""
    model: AcousticModel = field(init=False)
    average: AcousticModel = field(init=False)
    optimiser: Optimiser = field(init=False)
    generator: torch.Generator = field(init=False)
    training: list[Example] = field(default_factory=list)
    _drawn: list[float] = field(default_factory=list)
    _held_out: list[AcousticBatch] = field(default_factory=list)
    _queue: list[list[int]] = field(default_factory=list)
    _sums: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.model = AcousticModel.untrained(self.config, seed=self.settings.seed)
        self.average = AcousticModel.untrained(self.config, seed=self.settings.seed).eval()
        precision = torch.bfloat16 if self.settings.bfloat16 else torch.float32
        self.optimiser = Optimiser.of(self.model, precision=precision)
        self.optimiser.synchronise = self.team.average_gradients
        self.generator = determinism.generator(self.settings.seed)

    def run(self, stop_requested: Callable[[], bool] = lambda: False) -> None:
        """Train to the last step, saving every few minutes and at the end or when asked to stop."""
        self.restore()
        self.refresh()
        # Every process draws its own batches and dropout.
        for draw in (torch.manual_seed, self.generator.manual_seed):
            draw(self.settings.seed + 1000 * self.step + self.team.rank)
        saved = reported = time.monotonic()
        while self.step < self.settings.steps and not self.team.anyone(stop_requested()):
            started = time.monotonic()
            self._train_step()
            self.seconds += time.monotonic() - started
            if self.step % 50 == 0:
                rate = 50 / (time.monotonic() - reported)
                reported = time.monotonic()
                self._report(rate)
            if self.step % self.settings.evaluate_every == 0 and self.team.leads:
                self._evaluate()
            if self.step % self.settings.refresh_steps == 0 and self.team.anyone(bool(self.reader.refresh())):
                self._load_examples()
            if time.monotonic() - saved > 60.0 * self.settings.save_minutes:
                self.save()
                saved = time.monotonic()
        self.save()
        self._evaluate()

    def refresh(self) -> None:
        """Read the corpus; raises DataError(corpus_invalid) where nothing is to be trained on."""
        self.reader.refresh()
        self._load_examples()
        if not self.training:
            raise DataError(f"{self.reader.folder} has no utterance to train on", cause="corpus_invalid")

    def save(self) -> None:
        """Write the state and the averaged weights, each atomically; only the leader of a team does."""
        if not self.team.leads:
            return
        checkpoint.save(
            self.folder / STATE,
            {
                "step": self.step,
                "seconds": self.seconds,
                "config": self.config.as_dict(),
                "model": self.model.state_dict(),
                "average": self.average.state_dict(),
                "optimiser": self.optimiser.state_dict(),
            },
        )
        checkpoint.save(self.folder / LATEST, self.document())

    def document(self) -> dict[str, Any]:
        """The averaged weights in half precision, as `trainer.voice.base` ships them."""
        return {
            "format": base.ACOUSTIC_FORMAT,
            "version": base.VERSION,
            "config": self.config.as_dict(),
            "model": {name: value.half() for name, value in self.average.state_dict().items()},
            "training": {
                "steps": self.step,
                "minutes": round(self.seconds / 60.0, 1),
                "utterances": len(self.training),
                "settings": self.settings.as_dict(),
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
            raise CheckpointError("the saved state is of a model of other sizes", cause="wrong_format")
        self.step, self.seconds = state["step"], state["seconds"]
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.log(f"continuing at step {self.step}")

    def _load_examples(self) -> None:
        weights = {"human": self.settings.human_weight, "espeak": self.settings.espeak_weight}
        self.training, held_out, self._drawn = self.reader.examples(weights)
        spread = held_out[:: max(1, len(held_out) // self.settings.heldout_utterances)]
        chosen = sorted(spread[: self.settings.heldout_utterances], key=lambda example: example.length)
        self._held_out = [collate(chosen[start : start + 12]) for start in range(0, len(chosen), 12)]
        self._queue = []
        seconds = sum(example.length for example in self.training) * 256 / 22_050
        speakers = len({id(example.speaker) for example in self.training})
        self.log(f"{len(self.training)} utterances, {seconds / 3600:.2f} h, {speakers} speakers, {len(held_out)} held out")

    def _train_step(self) -> None:
        batch = self._next_batch()
        self.step += 1
        rate = trapezoid(
            self.step,
            steps=self.settings.steps,
            peak=self.settings.learning_rate,
            warmup=self.settings.warmup_steps,
        )
        found = self.optimiser.update(batch, {"frames": rate, "prosody": rate})
        terms = {"frames": float(found.frames.detach()), "prosody": float(found.prosody.detach()), **found.terms}
        for name, value in terms.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        # Early weights leave the average quickly.
        decay = min(self.settings.ema, (1 + self.step) / (20 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.model.parameters()), 1.0 - decay)

    def _next_batch(self) -> AcousticBatch:
        if not self._queue:
            indices = epoch_indices(self._drawn, self.generator)
            lengths = [self.training[index].length for index in indices]
            batches = epoch(lengths, frames=self.settings.batch_frames, generator=self.generator)
            self._queue = [[indices[position] for position in batch] for batch in batches]
        batch = collate([self.training[index] for index in self._queue.pop()])
        noise = torch.randn(batch.speaker.embedding.shape, generator=self.generator)
        return replace(batch, speaker=_moved(batch.speaker, self.settings.embedding_noise * noise))

    def _report(self, rate: float) -> None:
        line = " ".join(f"{name} {value / 50:.4f}" for name, value in self._sums.items())
        self._sums.clear()
        self.log(f"{time.strftime('%H:%M:%S')} step {self.step} ({rate:.2f}/s) {line}")

    def _evaluate(self) -> None:
        if self._held_out:
            found = heldout_losses(self.average, self._held_out, self.optimiser.precision)
            self.log("held out " + " ".join(f"{name} {value:.4f}" for name, value in found.items()))


def _moved(speaker: Speaker, noise: torch.Tensor) -> Speaker:
    return replace(speaker, embedding=torch.nn.functional.normalize(speaker.embedding + noise, dim=1))
