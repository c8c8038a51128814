"""What every backbone that adapts a shipped base does alike: gather, offer samples, and measure its learning proof again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from trainer.dataset import manifest
from trainer.files import sample_index

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.backbones.samples import Samples
    from trainer.dataset.manifest import Manifest
    from trainer.training.session import Task


class Settings(Protocol):
    """What is asked of the settings of any adaptation."""

    @property
    def steps(self) -> int:
        """Training steps of a whole run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What every voice of a speaker is measured against, and the manifest that it was measured on."""

    manifest_sha256: str
    start: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapted(ABC):
    """A backbone on a base that is part of this package."""

    settings: Settings
    note: str = ""
    """What a person should know of the settings."""
    transcripts: ClassVar[bool] = True

    @property
    def steps(self) -> int:
        """Training steps of a whole run."""
        return self.settings.steps

    def check(self) -> None:  # noqa: B027  (nothing to do is what an adaptation of a shipped base has to do)
        """Nothing to accept; the base is checked where it is read."""

    @abstractmethod
    def material(self, path: Path, document: Manifest, progress: Callable[[int, int], None] | None) -> Any:
        """What is learnt from and judged by, with its `left_out`; raises DataError."""

    @abstractmethod
    def start(self, material: Any) -> Any:
        """The half of the proof that needs no trained weights; raises RuntimeSetupError."""

    @abstractmethod
    def read(self, path: Path) -> Any:
        """The voice in a checkpoint; raises CheckpointError."""

    @abstractmethod
    def losses(self, start: Any, voice: Any) -> dict[str, float]:
        """The losses of a voice that was read, under the keys of the `learning` block; raises CheckpointError."""

    def gather(self, task: Task) -> Any:
        """As `gathered`, and tells what a person should know of the settings."""
        if self.note:
            task.listener.note(self.note)
        return self.gathered(task)

    def gathered(self, task: Task) -> Any:
        """What is learnt from; raises DataError, and tells the listener what is left out."""
        from trainer.training import determinism

        determinism.fix(task.threads)
        found = self.material(task.manifest, manifest.load(task.manifest), task.listener.features_extracted)
        for line in found.left_out:
            task.listener.note(f"left out {line}")
        return found

    def samples(self, task: Task) -> Samples:
        """Writes what a person can listen to beside the state."""
        from trainer.backbones.samples import Samples, sentences

        folder = task.state.parent / sample_index.FOLDER
        return Samples(folder, task.listener.note, self.steps, sentences(task.manifest))

    def measure_start(self, manifest_path: Path, *, seed: int, threads: int) -> Baseline:
        """The start's losses on the manifest's held-out side; raises DataError and RuntimeSetupError."""
        from trainer.training import determinism

        determinism.fix(threads)
        document, sha256 = manifest.load_with_digest(manifest_path)
        return Baseline(manifest_sha256=sha256, start=self.start(self.material(manifest_path, document, None)))

    def measure(
        self, checkpoint_path: Path, manifest_path: Path, *, seed: int, threads: int, prepared: Any = None
    ) -> dict[str, float]:
        """The losses of a checkpoint from the files alone; `prepared` counts where it is of this manifest."""
        from trainer.training import determinism

        determinism.fix(threads)
        voice = self.read(checkpoint_path)
        if prepared is None or prepared.manifest_sha256 != manifest.load_with_digest(manifest_path)[1]:
            prepared = self.measure_start(manifest_path, seed=seed, threads=threads)
        return self.losses(prepared.start, voice)
