"""Pretraining of the acoustic model on a corpus that may grow meanwhile, in one process or a team of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import torch

from trainer.errors import DataError
from trainer.models.acoustic import AcousticConfig, AcousticModel
from trainer.models.acoustic.examples import AcousticBatch, Example, collate, epoch
from trainer.models.acoustic.losses import Losses, heldout_losses
from trainer.models.acoustic.speaker import Speaker
from trainer.pretraining.corpus_reader import CorpusReader, epoch_indices
from trainer.pretraining.loop import LAG, Pretraining
from trainer.pretraining.settings import PretrainSettings
from trainer.training import determinism
from trainer.training.acoustic_loop import AcousticLoop
from trainer.training.loop import Pace
from trainer.training.schedule import trapezoid
from trainer.voice import base

STATE = "acoustic_state.pt"
LATEST = "acoustic_latest.pt"


@dataclass(kw_only=True)
class AcousticPretraining(Pretraining, AcousticLoop):
    """One pretraining; every process of a team draws batches of its own."""

    names: ClassVar[tuple[str, str]] = STATE, LATEST
    form: ClassVar[str] = base.ACOUSTIC_FORMAT

    settings: PretrainSettings
    config: AcousticConfig
    reader: CorpusReader
    training: list[Example] = field(default_factory=list)
    generator: torch.Generator = field(init=False)
    _drawn: list[float] = field(default_factory=list)
    _held_out: list[AcousticBatch] = field(default_factory=list)
    _queue: list[list[int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        chosen = self.settings
        self.pace = Pace(
            steps=chosen.steps, peaks={"frames": chosen.learning_rate, "prosody": chosen.learning_rate}, warmup=chosen.warmup_steps,
            schedule=trapezoid, decay=chosen.ema, lag=LAG,
        )  # fmt: skip
        self.save_minutes = chosen.save_minutes
        self.adopt(AcousticModel.untrained(self.config, seed=chosen.seed), bfloat16=chosen.bfloat16)
        self.generator = determinism.generator(chosen.seed)

    @property
    def evaluation_due(self) -> bool:
        """Also when new shards are to be looked for."""
        return self.step % self.settings.evaluate_every == 0 or self.step % self.settings.refresh_steps == 0

    def evaluate(self) -> None:
        """Only the leader judges; everybody reads what anybody found."""
        if self.step % self.settings.evaluate_every == 0 and self.team.leads:
            self.tell_held_out()
        if self.step % self.settings.refresh_steps == 0 and self.team.anyone(bool(self.reader.refresh())):
            self._load_examples()

    def prepare(self) -> None:
        """Read the corpus; raises DataError(corpus_invalid) where nothing is to be trained on."""
        self.reader.refresh()
        self._load_examples()
        if not self.training:
            raise DataError(
                f"{self.reader.folder} has no utterance to train on; make a corpus first", cause="corpus_invalid"
            )
        # Every process draws its own batches and dropout.
        for draw in (torch.manual_seed, self.generator.manual_seed):
            draw(self.settings.seed + 1000 * self.step + self.team.rank)

    def gradient(self) -> float:
        """The mean over the team."""
        loss = AcousticLoop.gradient(self)
        self.team.average_gradients(self.model.parameters())
        return loss

    def batch(self) -> AcousticBatch:
        """The next of the epoch, with noise on the speakers: between those that are known there is room for others."""
        if not self._queue:
            indices = epoch_indices(self._drawn, self.generator)
            lengths = [self.training[index].length for index in indices]
            batches = epoch(lengths, frames=self.settings.batch_frames, generator=self.generator)
            self._queue = [[indices[position] for position in batch] for batch in batches]
        batch = collate([self.training[index] for index in self._queue.pop()])
        noise = torch.randn(batch.speaker.embedding.shape, generator=self.generator)
        return replace(batch, speaker=_moved(batch.speaker, self.settings.embedding_noise * noise))

    def heard(self, found: Losses) -> None:
        """For the next report."""
        self.count({"frames": float(found.frames.detach()), "prosody": float(found.prosody.detach()), **found.terms})

    def tell_held_out(self) -> None:
        """One loss for each network and term."""
        if self._held_out:
            found = heldout_losses(self.average, self._held_out, self.precision)
            self.log("held out " + " ".join(f"{name} {value:.4f}" for name, value in found.items()))

    def document(self) -> dict[str, Any]:
        """Also the settings."""
        made = Pretraining.document(self)
        return {**made, "training": {**made["training"], "settings": self.settings.as_dict()}}

    def _load_examples(self) -> None:
        weights = {"human": self.settings.human_weight, "espeak": self.settings.espeak_weight}
        self.training, held_out, self._drawn = self.reader.examples(weights)
        spread = held_out[:: max(1, len(held_out) // self.settings.heldout_utterances)]
        chosen = sorted(spread[: self.settings.heldout_utterances], key=lambda example: example.length)
        self._held_out = [collate(chosen[start : start + 12]) for start in range(0, len(chosen), 12)]
        self._queue = []
        seconds = sum(example.length for example in self.training) * 256 / 22_050
        speakers = len({id(example.speaker) for example in self.training})
        self.log(
            f"{len(self.training)} utterances, {seconds / 3600:.2f} h, {speakers} speakers, {len(held_out)} held out"
        )


def _moved(speaker: Speaker, noise: torch.Tensor) -> Speaker:
    return replace(speaker, embedding=torch.nn.functional.normalize(speaker.embedding + noise, dim=1))
