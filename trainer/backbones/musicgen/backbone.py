"""MusicGen-small behind `trainer.backbones.Backbone`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from trainer.backbones import MUSICGEN_SMALL
from trainer.backbones.musicgen import weights
from trainer.backbones.musicgen.settings import MusicgenSettings
from trainer.voice import licence

if TYPE_CHECKING:
    from trainer.backbones.musicgen.base import MusicgenBase
    from trainer.training.held_out import Baseline
    from trainer.training.session import Outcome, Task


@dataclass(slots=True, kw_only=True)
class MusicgenSmall:
    """Adapters in a pre-seeded MusicGen; `accepted_licence` and `promote` are the objective's word on its licence."""

    weights: Path
    settings: MusicgenSettings
    accepted_licence: str
    promote: bool = False
    name: ClassVar[str] = MUSICGEN_SMALL
    transcripts: ClassVar[bool] = True
    _base: MusicgenBase | None = field(default=None, init=False)

    @property
    def steps(self) -> int:
        """Training steps of a whole run."""
        return self.settings.steps

    def licence_record(self) -> dict[str, Any]:
        """What is written into checkpoint and status; raises RuntimeSetupError(licence_not_accepted)."""
        card = weights.model_card(self.weights)
        return licence.record(licence.MUSICGEN_LICENCE, accepted=self.accepted_licence, promote=self.promote, card=card)

    def check(self) -> None:
        """The licence first: who may not use the weights need not fetch them. Raises RuntimeSetupError."""
        self.licence_record()
        weights.check(self.weights)

    def load(self) -> None:
        """Hash and read the weights; raises RuntimeSetupError."""
        from trainer.backbones.musicgen import adapters, base
        from trainer.training import determinism

        self.check()
        adapters.library()
        determinism.choose_device(self.settings.device)
        self._base = base.load(weights.inspect(self.weights))

    def gather(self, task: Task) -> None:
        """`fit` reads what it learns from itself."""

    def fit(self, task: Task, *, material: None = None) -> Outcome:
        """Train adapters; raises DataError and TrainingError."""
        from trainer.backbones.musicgen import session

        return session.fit(self._take_base(), task, self.settings, licence=self.licence_record())

    def measure_start(self, manifest_path: Path, *, seed: int, threads: int) -> Baseline:
        """As `evaluation.baseline`."""
        from trainer.backbones.musicgen import evaluation
        from trainer.training import determinism

        determinism.fix(threads)
        if self._base is None:
            self.load()
        return evaluation.baseline(self._base, manifest_path, **self._bounds())

    def measure(
        self, checkpoint_path: Path, manifest_path: Path, *, seed: int, threads: int, prepared: Baseline | None = None
    ) -> dict[str, float]:
        """As `evaluation.remeasure`, on the CPU."""
        from trainer.backbones.musicgen import evaluation
        from trainer.training import determinism

        determinism.fix(threads)
        return evaluation.remeasure(
            self._take_base(), checkpoint_path, manifest_path, **self._bounds(), prepared=prepared
        )

    def _bounds(self) -> dict[str, float]:
        return {"max_seconds": self.settings.heldout_seconds, "max_clip_seconds": self.settings.max_clip_seconds}

    def _take_base(self) -> MusicgenBase:
        """A base without adapters; whoever takes it puts some in, so the next one is read again."""
        if self._base is None:
            self.load()
        taken, self._base = self._base, None
        return taken
