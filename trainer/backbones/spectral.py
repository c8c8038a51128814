"""The spectral adapter as a backbone: the shipped base becomes the recording's speaker, and reads any English text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from trainer.backbones import SPECTRAL_ADAPTER
from trainer.backbones.adapter.settings import AdaptationSettings
from trainer.files import sample_index

if TYPE_CHECKING:
    from trainer.backbones.adapter.material import Material
    from trainer.training.session import Outcome, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class SpectralAdapter:
    """`trainer.backbones.adapter` with its settings; the base is part of this package, and no licence but the project's is needed."""

    settings: AdaptationSettings
    note: str = ""
    """What a person should know of the settings."""
    name: ClassVar[str] = SPECTRAL_ADAPTER
    transcripts: ClassVar[bool] = True

    @property
    def steps(self) -> int:
        """Training steps of a whole run."""
        return self.settings.steps

    def check(self) -> None:
        """Nothing to accept; the base is checked where it is read."""

    def load(self) -> None:
        """Read the base and the speaker encoder once; raises RuntimeSetupError(weights_missing | weights_invalid)."""
        from trainer.models.speaker_encoder import SpeakerEncoder
        from trainer.voice import base

        base.load()
        base.load_aligner()
        SpeakerEncoder()

    def gather(self, task: Task) -> Material:
        """As `trainer.backbones.adapter.session.gathered`."""
        from trainer.backbones.adapter import session

        if self.note:
            task.listener.note(self.note)
        return session.gathered(task, self.settings)

    def fit(self, task: Task, *, material: Material | None = None) -> Outcome:
        """As `trainer.backbones.adapter.session.fit`; samples to listen to are written beside the state."""
        from trainer.backbones.adapter import samples, session

        folder, said = task.state.parent / sample_index.FOLDER, samples.sentences(task.manifest)
        sampler = samples.Samples(folder, task.listener.note, self.steps, said)
        return session.fit(task, self.settings, material=material, sampler=sampler)

    def measure_start(self, manifest_path: Path, *, seed: int, threads: int) -> Any:
        """As `trainer.backbones.adapter.remeasure.baseline`."""
        from trainer.backbones.adapter.remeasure import baseline

        return baseline(manifest_path, self.settings, threads=threads)

    def measure(
        self, checkpoint_path: Path, manifest_path: Path, *, seed: int, threads: int, prepared: Any = None
    ) -> dict[str, float]:
        """As `trainer.backbones.adapter.remeasure.remeasure`."""
        from trainer.backbones.adapter.remeasure import remeasure

        return remeasure(checkpoint_path, manifest_path, self.settings, threads=threads, prepared=prepared)
