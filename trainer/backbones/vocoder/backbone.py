"""The neural vocoder alone as a backbone: it needs no transcript, so it takes a recording in any language, and it cannot read a text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from trainer.backbones import VOCODER
from trainer.backbones.vocoder.settings import TrainSettings

if TYPE_CHECKING:
    from trainer.training.session import Outcome, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class VocoderOnly:
    """Its session with its settings; it needs no weights from elsewhere and no licence but the project's."""

    settings: TrainSettings
    name: ClassVar[str] = VOCODER
    transcripts: ClassVar[bool] = False

    @property
    def steps(self) -> int:
        """Training steps of a whole run."""
        return self.settings.steps

    def check(self) -> None:
        """Nothing to accept and nothing to find."""

    def load(self) -> None:
        """Build the network once; raises RuntimeSetupError(settings_invalid)."""
        from trainer.models.vocoder import Vocoder, VocoderConfig
        from trainer.training import determinism

        determinism.choose_device(self.settings.device)
        Vocoder(VocoderConfig(width=self.settings.width, hidden=self.settings.hidden, blocks=self.settings.blocks))

    def gather(self, task: Task) -> None:
        """`fit` reads what it learns from itself."""

    def fit(self, task: Task, *, material: None = None) -> Outcome:
        """As `session.fit`."""
        from trainer.backbones.vocoder import session

        return session.fit(task, self.settings)

    def measure_start(self, manifest_path: Path, *, seed: int, threads: int) -> Any:
        """As `evaluation.baseline`."""
        from trainer.backbones.vocoder import evaluation
        from trainer.models.vocoder import VocoderConfig
        from trainer.training import determinism

        determinism.fix(threads)
        config = VocoderConfig(width=self.settings.width, hidden=self.settings.hidden, blocks=self.settings.blocks)
        return evaluation.baseline(manifest_path, config, seed=seed, heldout_seconds=self.settings.heldout_seconds)

    def measure(
        self, checkpoint_path: Path, manifest_path: Path, *, seed: int, threads: int, prepared: Any = None
    ) -> dict[str, float]:
        """As `evaluation.remeasure`."""
        from trainer.backbones.vocoder import evaluation

        return evaluation.remeasure(
            checkpoint_path,
            manifest_path,
            seed=seed,
            heldout_seconds=self.settings.heldout_seconds,
            threads=threads,
            prepared=prepared,
        )
