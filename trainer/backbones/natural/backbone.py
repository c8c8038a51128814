"""The natural voice as a backbone: a base that was taught by natural speech becomes the recording's speaker."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from trainer.backbones import NATURAL
from trainer.backbones.adapted import Adapted
from trainer.backbones.natural.settings import NaturalSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.backbones.natural.learning import NaturalStart
    from trainer.backbones.natural.material import NaturalMaterial
    from trainer.dataset.manifest import Manifest
    from trainer.models.natural import NaturalModel
    from trainer.training.session import Outcome, Task
    from trainer.voice.natural_document import RestoredNatural
    from trainer.voice.natural_speaker import NaturalSpeaker


@dataclass(frozen=True, slots=True, kw_only=True)
class Natural(Adapted):
    """`session` with its settings; the base's licence (Apache-2.0) asks for nothing at run time, and goes with the checkpoint."""

    settings: NaturalSettings
    name: ClassVar[str] = NATURAL

    def load(self) -> None:
        """Read the base, the aligner and the pronunciations once; raises RuntimeSetupError."""
        from trainer.models.natural import pronunciations
        from trainer.voice import natural_base, shipped_files

        natural_base.load()
        shipped_files.load_aligner()
        pronunciations.load()

    def material(self, path: Path, document: Manifest, progress: Callable[[int, int], None] | None) -> NaturalMaterial:
        """As `material.gather`: the utterances laid along the base's reading."""
        from trainer.backbones.natural.material import gather

        return gather(path, document, self.settings, on_progress=progress)

    def fit(self, task: Task, *, material: NaturalMaterial | None = None) -> Outcome:
        """As `session.fit`; samples to listen to are written beside the state."""
        from trainer.backbones.natural import session
        from trainer.synthesis.natural_voice import NaturalVoice

        samples = self.samples(task)

        def sampler(step: int, model: NaturalModel, speaker: NaturalSpeaker) -> None:
            samples.speak(step, lambda: NaturalVoice(model, speaker))

        return session.fit(task, self.settings, material=material or self.gathered(task), sampler=sampler)

    def start(self, material: NaturalMaterial) -> NaturalStart:
        """As `learning.measure_start`, on the shipped base."""
        from trainer.backbones.natural import learning
        from trainer.voice import natural_base

        return learning.measure_start(natural_base.load(), material)

    def read(self, path: Path) -> RestoredNatural:
        """A voice whose frozen parts are the base's; raises CheckpointError."""
        from trainer.backbones.natural import learning
        from trainer.voice import natural_base, natural_document

        voice = natural_document.load(path)
        learning.require_frozen_parts(voice.model, natural_base.load())
        return voice

    def losses(self, start: NaturalStart, voice: RestoredNatural) -> dict[str, float]:
        """As `learning.losses`."""
        from trainer.backbones.natural import learning

        return learning.losses(start, voice.model, voice.speaker)
