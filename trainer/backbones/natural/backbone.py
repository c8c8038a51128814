"""The natural voice as a backbone: a base that was taught by natural speech becomes the recording's speaker."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from trainer.backbones import NATURAL
from trainer.backbones.natural.settings import NaturalSettings
from trainer.files import sample_index

if TYPE_CHECKING:
    from trainer.backbones.natural.material import NaturalMaterial
    from trainer.models.natural import NaturalModel
    from trainer.training.session import Outcome, Task
    from trainer.voice.natural_document import NaturalSpeaker


@dataclass(frozen=True, slots=True, kw_only=True)
class Natural:
    """`session` with its settings; the base is part of this package, its licence (Apache-2.0) asks for nothing at run time."""

    settings: NaturalSettings
    note: str = ""
    """What a person should know of the settings."""
    name: ClassVar[str] = NATURAL
    transcripts: ClassVar[bool] = True

    @property
    def steps(self) -> int:
        """Training steps of a whole run."""
        return self.settings.steps

    def check(self) -> None:
        """Nothing to accept; the base is checked where it is read."""

    def load(self) -> None:
        """Read the base, the aligner and the pronunciations once; raises RuntimeSetupError."""
        from trainer.models.natural import pronunciations
        from trainer.voice import base, natural_base

        natural_base.load()
        base.load_aligner()
        pronunciations.load()

    def gather(self, task: Task) -> NaturalMaterial:
        """As `session.gathered`."""
        from trainer.backbones.natural import session

        if self.note:
            task.listener.note(self.note)
        return session.gathered(task, self.settings)

    def fit(self, task: Task, *, material: NaturalMaterial | None = None) -> Outcome:
        """As `session.fit`; samples to listen to are written beside the state."""
        from trainer.backbones.adapter.samples import Samples, sentences
        from trainer.backbones.natural import session
        from trainer.synthesis.natural_voice import NaturalVoice

        folder = task.state.parent / sample_index.FOLDER
        samples = Samples(folder, task.listener.note, self.steps, sentences(task.manifest))

        def sampler(step: int, model: NaturalModel, speaker: NaturalSpeaker) -> None:
            samples.speak(step, lambda: NaturalVoice(model, speaker))

        return session.fit(task, self.settings, material=material, sampler=sampler)

    def measure_start(self, manifest_path: Path, *, seed: int, threads: int) -> Any:
        """As `learning.baseline`."""
        from trainer.backbones.natural import learning

        return learning.baseline(manifest_path, self.settings, threads=threads)

    def measure(
        self, checkpoint_path: Path, manifest_path: Path, *, seed: int, threads: int, prepared: Any = None
    ) -> dict[str, float]:
        """As `learning.remeasure`."""
        from trainer.backbones.natural import learning

        return learning.remeasure(checkpoint_path, manifest_path, self.settings, threads=threads, prepared=prepared)
