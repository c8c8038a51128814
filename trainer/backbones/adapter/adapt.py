"""The whole adaptation, phase by phase: acoustic model, its variance, vocoder; resumable between any two steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from trainer.backbones.adapter import learning
from trainer.backbones.adapter.acoustic import AcousticAdaptation
from trainer.backbones.adapter.settings import AdaptationSettings
from trainer.backbones.adapter.spoken import example, speaker_of
from trainer.backbones.adapter.statistics import with_own_variance
from trainer.backbones.adapter.vocoder import VocoderAdaptation, own_spectra
from trainer.backbones.fitting_speech import Spoken
from trainer.errors import DataError
from trainer.models.acoustic import AcousticModel, Speaker
from trainer.models.acoustic.examples import Example
from trainer.models.vocoder import Vocoder
from trainer.training import loop
from trainer.voice import document
from trainer.voice.base import Base


@dataclass(slots=True, kw_only=True)
class Hooks(loop.Hooks):
    """As any loop's: steps of all phases are counted through, and an evaluation is a row of the acoustic model's held-out losses."""

    on_sample: Callable[[int, AcousticModel, Vocoder, Speaker], None] = lambda step, acoustic, vocoder, speaker: None
    """Models as they are now, for somebody who wants to listen; called after evaluations."""


@dataclass(slots=True, kw_only=True)
class Adaptation:
    """One adaptation; `run` goes from wherever its state is to the end, `document` then is the voice.

    `embedding` (256,) is the mean GE2E embedding of the training utterances. Needs torch's threads and algorithms fixed (determinism.fix).
    """

    settings: AdaptationSettings
    seed: int
    base: Base
    training: Sequence[Spoken]
    held_out: Sequence[Spoken]
    embedding: torch.Tensor
    hooks: Hooks = field(default_factory=Hooks)
    speaker: Speaker = field(init=False)
    acoustic: AcousticAdaptation = field(init=False)
    vocoder: VocoderAdaptation = field(init=False)
    _examples: list[Example] = field(init=False)
    _finished: tuple[AcousticModel, Vocoder] | None = None
    _resumed: bool = False
    """Its start was told by an earlier process."""

    def __post_init__(self) -> None:
        if not self.held_out:
            raise DataError("there is no held-out utterance; record more speech", cause="too_little_speech")
        self.speaker = speaker_of(self.training, self.embedding)
        self._examples = [example(one, self.speaker) for one in self.training]
        self.acoustic = AcousticAdaptation(
            settings=self.settings,
            seed=self.seed,
            base=self.base.acoustic,
            training=self._examples,
            held_out=[example(one, self.speaker) for one in self.held_out],
        )
        self.vocoder = VocoderAdaptation(
            settings=self.settings,
            seed=self.seed,
            base=self.base.vocoder,
            training=[one.utterance for one in self.training],
            held_out=[one.utterance for one in self.held_out],
        )

    @property
    def step(self) -> int:
        """Of all phases; early stopping skips what is left of the first."""
        return self.vocoder.step + (self.settings.acoustic_steps if self.acoustic.finished else self.acoustic.step)

    def run(self) -> None:
        """All phases; raises TrainingError(non_finite_loss), and TrainingError(interrupted) after saving when asked to stop."""
        self.acoustic.hooks = self.vocoder.hooks = loop.Hooks(
            on_step=self.hooks.on_step,
            on_evaluation=self._evaluated,
            on_failure=self.hooks.on_failure,
            save_state=lambda state: self.hooks.save_state(self.state()),
            stop_requested=self.hooks.stop_requested,
        )
        if not self._resumed:
            self.hooks.on_evaluation(self.acoustic.history[0])
            self.hooks.on_sample(0, self.acoustic.average, self.base.vocoder, self.speaker)
        self.acoustic.train_to_the_end()
        acoustic = self.acoustic.finish()
        self.speaker = with_own_variance(acoustic, self._examples, self.speaker)
        if self.settings.vocoder_own_steps:
            matched = [replace(one, speaker=self.speaker) for one in self._examples]
            self.vocoder.own = own_spectra(acoustic, self.training, matched)
        self.vocoder.train_to_the_end()
        self._finished = acoustic, self.vocoder.model.eval()
        self.hooks.on_sample(self.step, *self._finished, self.speaker)

    def document(self, *, training: dict[str, Any]) -> dict[str, Any]:
        """The finished voice; `training` is completed by what was trained and how."""
        acoustic, vocoder = self._finished_models()
        facts = {
            "seed": self.seed,
            "settings": self.settings.as_dict(),
            "kept_steps": {name: part.kept_step for name, part in self.acoustic.networks.items()},
            "utterances": len(self.training),
            **training,
        }
        return document.document(acoustic=acoustic, vocoder=vocoder, speaker=self.speaker, training=facts)

    def learning(self, embed: learning.Embed) -> dict[str, float]:
        """Held-out losses of base and voice, on the speaker and on a control voice; see `learning.measure_start`."""
        acoustic, vocoder = self._finished_models()
        measured = speaker_of(self.training, self.embedding)  # without what the finished model added to it
        start = learning.measure_start(self.base, self.held_out, speaker=measured, embed=embed)
        return learning.losses(start, acoustic, vocoder, self.speaker)

    def state(self) -> dict[str, Any]:
        """Everything that the remaining steps depend on, as plain containers and tensors."""
        return {"step": self.step, "acoustic": self.acoustic.state(), "vocoder": self.vocoder.state()}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned; the result has the same bytes as that of a run without a break."""
        self.acoustic.restore(state["acoustic"])
        self.vocoder.restore(state["vocoder"])
        self._resumed = True

    def _evaluated(self, row: dict[str, float]) -> None:
        self.hooks.on_evaluation(row)
        self.hooks.on_sample(self.step, self.acoustic.average, self.base.vocoder, self.speaker)

    def _finished_models(self) -> tuple[AcousticModel, Vocoder]:
        if self._finished is None:
            raise RuntimeError("the adaptation has not been run")
        return self._finished
