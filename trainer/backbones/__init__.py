"""Backbones: what learns the voice, behind one interface that the job's entry drives without knowing which it is.

    natural         a base that was taught by natural speech, adapted (trainer.backbones.natural); the default
    vocoder         the project's vocoder alone (trainer.backbones.vocoder): any language, no transcripts, no reading
    musicgen-small  adapters inside MusicGen's language model, on weights that somebody put in place beforehand (trainer.backbones.musicgen)

Only light modules are imported here: a session pays for `transformers` only when its backbone's `load` runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from trainer.errors import RuntimeSetupError
from trainer.training import presets
from trainer.training.settings import from_environment

if TYPE_CHECKING:
    from trainer.training.session import Outcome, Task

NATURAL, VOCODER, MUSICGEN_SMALL = "natural", "vocoder", "musicgen-small"
NAMES = (NATURAL, VOCODER, MUSICGEN_SMALL)
DEFAULT = NATURAL
FORMATS = {
    NATURAL: "voice-acceptance/natural-voice",
    VOCODER: "voice-acceptance/vocoder",
    MUSICGEN_SMALL: "voice-acceptance/musicgen-adapter",
}
"""What their checkpoints call themselves."""
BACKBONE_PREFIX = "VOICE_BACKBONE_"
TRAIN_PREFIX = "VOICE_TRAIN_"
NATURAL_PREFIX = "VOICE_NATURAL_"
MUSICGEN_PREFIX = "VOICE_MUSICGEN_"
_SETTINGS = {
    NATURAL: NATURAL_PREFIX,
    VOCODER: TRAIN_PREFIX,
    MUSICGEN_SMALL: MUSICGEN_PREFIX,
    "spectral-adapter (which is gone)": "VOICE_ADAPT_",
}
"""Whose settings have which prefix; the last one's would be ignored where an objective of an earlier version still has them."""


class Backbone(Protocol):
    """One way to learn a voice; the methods are called in this order, and only `fit` needs the recording."""

    name: str
    transcripts: bool
    """Whether it has to know what is said: the recording is then recognised where no transcript is given."""

    @property
    def steps(self) -> int:
        """Training steps of a whole run: what PROGRESS and `steps_total` count to."""

    def check(self) -> None:
        """Licence and files, without importing anything heavy; raises RuntimeSetupError."""

    def load(self) -> None:
        """Import and build or read the model; raises RuntimeSetupError."""

    def gather(self, task: Task) -> Any:
        """What `fit` learns from, where it can be had (and refused, DataError) before anything is trained; None where `fit` does it all."""

    def fit(self, task: Task, *, material: Any = None) -> Outcome:
        """Train (`material` is what `gather` made of the manifest) or continue from the state; raises DataError and TrainingError."""

    def measure_start(self, manifest_path: Path, *, seed: int, threads: int) -> Any:
        """What of `measure` needs no checkpoint, so that it can be done while another process trains; raises DataError."""

    def measure(
        self, checkpoint_path: Path, manifest_path: Path, *, seed: int, threads: int, prepared: Any = None
    ) -> dict[str, float]:
        """The losses of the learning proof from the files alone; `prepared`, where it fits, saves its part of the work.

        Raises CheckpointError, DataError and RuntimeSetupError.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class BackboneSettings:
    """Which backbone, and on what terms: `VOICE_BACKBONE_<FIELD>` in the environment."""

    name: str = DEFAULT
    weights: str = ""
    """Folder with the pre-seeded weights, relative to the workspace."""
    licence: str = ""
    """The licence of the weights as the objective accepts it, by its SPDX name (CC-BY-NC-4.0)."""
    promote: bool = False
    """Whether the objective allows promotion in spite of a licence that forbids commercial use."""

    def __post_init__(self) -> None:
        if self.name not in NAMES:
            raise RuntimeSetupError(
                f"backbone {self.name!r} is not one of {', '.join(NAMES)}", cause="settings_invalid"
            )


def of_format(form: object) -> str:
    """The backbone whose checkpoints call themselves so; the default's name for anything else, which then refuses the file."""
    return next((name for name, known in FORMATS.items() if known == form), DEFAULT)


def create(environ: Mapping[str, str], *, workspace: Path) -> Backbone:
    """The backbone that `environ` asks for; raises RuntimeSetupError(settings_invalid)."""
    chosen = from_environment(BackboneSettings, BACKBONE_PREFIX, environ)
    _refuse_other_settings(chosen.name, environ)
    return build(chosen, environ, workspace=workspace)


def _refuse_other_settings(name: str, environ: Mapping[str, str]) -> None:
    """What was written for another backbone must not be ignored in silence."""
    for owner, prefix in _SETTINGS.items():
        found = min((variable for variable in environ if variable.startswith(prefix)), default=None)
        if found is not None and owner != name:
            raise RuntimeSetupError(
                f"{found} is a setting of the backbone {owner}, but {name} is trained; remove it, or write a {_SETTINGS[name]}… setting",
                cause="settings_invalid",
            )


def build(chosen: BackboneSettings, environ: Mapping[str, str], *, workspace: Path) -> Backbone:
    """The chosen backbone; `environ` has the settings of its training alone. Raises RuntimeSetupError(settings_invalid)."""
    if chosen.name == NATURAL:
        from trainer.backbones.natural.backbone import Natural
        from trainer.backbones.natural.settings import PRESETS, NaturalSettings

        settings, note = presets.chosen(NaturalSettings, PRESETS, NATURAL_PREFIX, environ)
        return Natural(settings=settings, note=note)
    if chosen.name == VOCODER:
        from trainer.backbones.vocoder.backbone import VocoderOnly
        from trainer.backbones.vocoder.settings import TrainSettings

        return VocoderOnly(settings=from_environment(TrainSettings, TRAIN_PREFIX, environ))
    from trainer.backbones.musicgen.backbone import MusicgenSmall
    from trainer.backbones.musicgen.settings import MusicgenSettings

    if not chosen.weights:
        raise RuntimeSetupError(
            f"{BACKBONE_PREFIX}WEIGHTS names no folder for {MUSICGEN_SMALL}", cause="settings_invalid"
        )
    return MusicgenSmall(
        weights=workspace / chosen.weights,
        settings=from_environment(MusicgenSettings, MUSICGEN_PREFIX, environ),
        accepted_licence=chosen.licence,
        promote=chosen.promote,
    )
