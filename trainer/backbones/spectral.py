"""The spectral adapter as a backbone: the shipped base becomes the recording's speaker, and reads any English text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from trainer.backbones import ADAPT_PREFIX, SPECTRAL_ADAPTER
from trainer.backbones.adapter.settings import PRESETS, AdaptationSettings, preset
from trainer.errors import RuntimeSetupError
from trainer.files import sample_index
from trainer.training.settings import from_environment

if TYPE_CHECKING:
    from trainer.backbones.adapter.material import Material
    from trainer.training.session import Outcome, Task

MINUTES = f"{ADAPT_PREFIX}MINUTES"
DEFAULT_MINUTES = "5"


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


def preset_note(environ: Mapping[str, str]) -> str:
    """Which preset a number of minutes comes to that is none itself; empty where it is one."""
    minutes = float(environ.get(MINUTES, DEFAULT_MINUTES))
    if minutes in PRESETS:
        return ""
    known = ", ".join(f"{bound:g}" for bound in sorted(PRESETS))
    taken = max((bound for bound in PRESETS if bound <= minutes), default=min(PRESETS))
    return f"{MINUTES}={minutes:g}: the preset for {taken:g} minutes is taken; there are {known}"


def settings_from_environment(environ: Mapping[str, str]) -> AdaptationSettings:
    """The preset for `VOICE_ADAPT_MINUTES` (default 5), changed by every other `VOICE_ADAPT_<FIELD>`; raises RuntimeSetupError."""
    values = dict(environ)
    minutes = values.pop(MINUTES, DEFAULT_MINUTES)
    try:
        start = preset(float(minutes))
    except ValueError as error:
        raise RuntimeSetupError(
            f"{MINUTES}={minutes!r} is not a number of minutes", cause="settings_invalid"
        ) from error
    return from_environment(AdaptationSettings, ADAPT_PREFIX, values, start=start)
