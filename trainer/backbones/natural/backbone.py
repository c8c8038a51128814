"""The natural voice as a backbone: a base that was taught by natural speech becomes the recording's speaker."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from trainer.backbones import NATURAL
from trainer.backbones.natural.settings import NaturalSettings
from trainer.dataset import manifest
from trainer.files import sample_index

if TYPE_CHECKING:
    from trainer.backbones.natural.learning import NaturalStart
    from trainer.backbones.natural.material import NaturalMaterial
    from trainer.models.natural import NaturalModel
    from trainer.training.session import Outcome, Task
    from trainer.voice.natural_speaker import NaturalSpeaker


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What every voice of a speaker is measured against, and the manifest that it was measured on."""

    manifest_sha256: str
    start: NaturalStart


@dataclass(frozen=True, slots=True, kw_only=True)
class Natural:
    """`session` with its settings; the base's licence (Apache-2.0) asks for nothing at run time, and goes with the checkpoint."""

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
        from trainer.models.speaker_encoder import SpeakerEncoder
        from trainer.voice import natural_base, shipped_files

        natural_base.load()
        natural_base.load_speakers()
        SpeakerEncoder()
        shipped_files.load_aligner()
        pronunciations.load()

    def gather(self, task: Task) -> NaturalMaterial:
        """The utterances laid along the base's reading; raises DataError.

        Tells the listener what is left out, and what to know of the settings.
        """
        from trainer.backbones.natural import material
        from trainer.training import determinism

        if self.note:
            task.listener.note(self.note)
        determinism.fix(task.threads)
        found = material.gather(
            task.manifest, manifest.load(task.manifest), self.settings, on_progress=task.listener.features_extracted
        )
        for line in found.left_out:
            task.listener.note(f"left out {line}")
        return found

    def fit(self, task: Task, *, material: NaturalMaterial | None = None) -> Outcome:
        """As `session.fit`; samples to listen to are written beside the state."""
        from trainer.backbones.natural import session
        from trainer.backbones.samples import Samples, sentences
        from trainer.synthesis.natural_voice import NaturalVoice

        folder = task.state.parent / sample_index.FOLDER
        samples = Samples(folder, task.listener.note, self.steps, sentences(task.manifest))

        def sampler(step: int, model: NaturalModel, speaker: NaturalSpeaker) -> None:
            samples.speak(step, lambda: NaturalVoice(model, speaker))

        return session.fit(task, self.settings, material=material or self.gather(task), sampler=sampler)

    def measure_start(self, manifest_path: Path, *, seed: int, threads: int) -> Baseline:
        """As `learning.measure_start`, of the shipped base on the manifest's held-out side; raises DataError and RuntimeSetupError."""
        from trainer.backbones.natural import learning, material
        from trainer.training import determinism
        from trainer.voice import natural_base

        determinism.fix(threads)
        document, sha256 = manifest.load_with_digest(manifest_path)
        found = material.gather(manifest_path, document, self.settings)
        return Baseline(
            manifest_sha256=sha256, start=learning.measure_start(natural_base.for_speaker(found.vector), found)
        )

    def measure(
        self, checkpoint_path: Path, manifest_path: Path, *, seed: int, threads: int, prepared: Baseline | None = None
    ) -> dict[str, float]:
        """The losses of a checkpoint from the files alone; `prepared` counts where it is of this manifest."""
        from trainer.backbones.natural import learning
        from trainer.training import determinism
        from trainer.voice import natural_base, natural_document

        determinism.fix(threads)
        voice = natural_document.load(checkpoint_path)
        learning.require_frozen_parts(voice.model, natural_base.load())
        if prepared is None or prepared.manifest_sha256 != manifest.load_with_digest(manifest_path)[1]:
            prepared = self.measure_start(manifest_path, seed=seed, threads=threads)
        return learning.losses(prepared.start, voice.model, voice.speaker)
