"""The spectral adapter as a backbone: the shipped base becomes the recording's speaker, and reads any English text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from trainer.backbones import SPECTRAL_ADAPTER
from trainer.backbones.adapted import Adapted
from trainer.backbones.adapter.settings import AdaptationSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.backbones.adapter.learning import Start
    from trainer.backbones.adapter.material import Material
    from trainer.dataset.manifest import Manifest
    from trainer.models.acoustic import AcousticModel, Speaker
    from trainer.models.vocoder import Vocoder
    from trainer.training.session import Outcome, Task
    from trainer.voice.document import Voice


@dataclass(frozen=True, slots=True, kw_only=True)
class SpectralAdapter(Adapted):
    """`trainer.backbones.adapter` with its settings; no licence but the project's is needed."""

    settings: AdaptationSettings
    name: ClassVar[str] = SPECTRAL_ADAPTER

    def load(self) -> None:
        """Read the base and the speaker encoder once; raises RuntimeSetupError(weights_missing | weights_invalid)."""
        from trainer.models.speaker_encoder import SpeakerEncoder
        from trainer.voice import base, shipped_files

        base.load()
        shipped_files.load_aligner()
        SpeakerEncoder()

    def material(self, path: Path, document: Manifest, progress: Callable[[int, int], None] | None) -> Material:
        """As `material.gather`: the utterances with their symbols and times."""
        from trainer.backbones.adapter.material import gather

        return gather(path, document, self.settings, on_progress=progress)

    def fit(self, task: Task, *, material: Material | None = None) -> Outcome:
        """As `trainer.backbones.adapter.session.fit`; samples to listen to are written beside the state."""
        from trainer.backbones.adapter import session
        from trainer.synthesis import Voice

        samples = self.samples(task)

        def sampler(step: int, acoustic: AcousticModel, vocoder: Vocoder, speaker: Speaker) -> None:
            samples.speak(step, lambda: Voice(acoustic, speaker, vocoder))

        gathered = material or self.gathered(task)
        return session.fit(task, self.settings, material=gathered, sampler=sampler)

    def start(self, material: Material) -> Start:
        """As `learning.measure_start`, on the shipped base."""
        from trainer.backbones.adapter import learning
        from trainer.backbones.adapter.spoken import speaker_of
        from trainer.models.speaker_encoder import SpeakerEncoder
        from trainer.voice import base

        speaker = speaker_of(material.training, material.embedding)
        return learning.measure_start(base.load(), material.held_out, speaker=speaker, embed=SpeakerEncoder().embed)

    def read(self, path: Path) -> Voice:
        """As `document.load`."""
        from trainer.voice import document

        return document.load(path)

    def losses(self, start: Start, voice: Voice) -> dict[str, float]:
        """As `learning.losses`."""
        from trainer.backbones.adapter import learning

        return learning.losses(start, voice.acoustic, voice.vocoder, voice.speaker)
