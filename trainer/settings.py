"""Settings of a training run: one frozen dataclass of defaults, overridden by `VOICE_TRAIN_<FIELD>` in the environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from trainer.errors import RuntimeSetupError

TRAIN_PREFIX = "VOICE_TRAIN_"
PREPARE_PREFIX = "VOICE_PREPARE_"
Settings = TypeVar("Settings")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSettings:
    """How the vocoder is trained; every field is part of what makes a result reproducible."""

    steps: int = 300
    batch_size: int = 16
    segment_frames: int = 64
    """Length of one training example in frames of 256 samples (64 are 0.74 s)."""
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    warmup_steps: int = 20
    gradient_clip: float = 1.0
    """Largest norm of the gradient over all weights."""
    evaluate_every: int = 100
    """Steps between two held-out evaluations; the best of them is the checkpoint."""
    save_every: int = 50
    """Steps between two resume states."""
    heldout_seconds: float = 30.0
    """Upper bound of the held-out speech that one evaluation hears."""
    max_train_minutes: float = 30.0
    """Upper bound of the speech held in memory: evenly chosen utterances beyond it are left out (about 7 MB a minute)."""
    width: int = 256
    hidden: int = 768
    blocks: int = 6
    device: str = "auto"
    """`auto` (CUDA where there is one), `cpu` or `cuda`."""

    def __post_init__(self) -> None:
        check_bounds(self, _BOUNDS)
        if self.device not in ("auto", "cpu", "cuda"):
            raise RuntimeSetupError(
                f"device={self.device!r} is not auto, cpu or cuda", cause="settings_invalid"
            )

    def as_dict(self) -> dict[str, Any]:
        """Plain values by field name."""
        return asdict(self)


_BOUNDS = (
    ("steps", 1, 10_000_000),
    ("batch_size", 1, 4096),
    ("segment_frames", 16, 4096),
    ("learning_rate", 0.0, 1.0),
    ("weight_decay", 0.0, 1.0),
    ("warmup_steps", 0, 1_000_000),
    ("gradient_clip", 1e-6, 1e6),
    ("evaluate_every", 1, 10_000_000),
    ("save_every", 1, 10_000_000),
    ("heldout_seconds", 1.0, 300.0),
    ("max_train_minutes", 0.1, 6000.0),
    ("width", 8, 2048),
    ("hidden", 8, 8192),
    ("blocks", 1, 64),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One run as its caller describes it: identity, seed, threads and absolute paths."""

    run_id: str
    seed: int
    threads: int
    workspace: Path
    audio: Path
    manifest: Path
    status: Path
    checkpoint: Path

    @property
    def markers(self) -> Path:
        """The phase marker log."""
        return self.status.parent / "phase_markers.log"

    @property
    def state(self) -> Path:
        """The resume state of an unfinished run."""
        return self.status.parent / "train_state.pt"


def job_from_environment(environ: Mapping[str, str]) -> Job:
    """The job of the container contract; raises RuntimeSetupError(settings_invalid) naming the variable."""
    job_type = environ.get("TRAIN_JOB_TYPE", "tts_voice_train")
    if job_type != "tts_voice_train":
        raise RuntimeSetupError(
            f"TRAIN_JOB_TYPE={job_type!r} is not tts_voice_train", cause="settings_invalid"
        )
    workspace = Path(environ.get("VOICE_WORKSPACE") or Path.cwd()).absolute()
    paths = {
        name: workspace / _required(environ, name)
        for name in ("VOICE_SOURCE_AUDIO", "MANIFEST_PATH", "TRAIN_STATUS_PATH", "CHECKPOINT_PATH")
    }
    return Job(
        run_id=_required(environ, "RUN_ID"),
        seed=_whole(environ, "SEED", 0, low=0, high=2**31 - 1),
        threads=_whole(environ, "NUM_THREADS", 2, low=1, high=256),
        workspace=workspace,
        audio=paths["VOICE_SOURCE_AUDIO"],
        manifest=paths["MANIFEST_PATH"],
        status=paths["TRAIN_STATUS_PATH"],
        checkpoint=paths["CHECKPOINT_PATH"],
    )


def check_bounds(settings: object, bounds: Sequence[tuple[str, float, float]]) -> None:
    """Every named field lies between its bounds, or RuntimeSetupError(settings_invalid) names it."""
    for name, low, high in bounds:
        value = getattr(settings, name)
        if not low <= value <= high:
            raise RuntimeSetupError(f"{name}={value} is outside {low}..{high}", cause="settings_invalid")


def from_environment(
    kind: type[Settings], prefix: str, environ: Mapping[str, str], *, start: Settings | None = None
) -> Settings:
    """`start` (default: `kind`'s defaults) with every field that `<prefix><FIELD>` sets.

    Raises RuntimeSetupError(settings_invalid) for unknown or malformed ones.
    """
    known = {prefix + field.name.upper(): field for field in fields(kind)}
    unknown = sorted(name for name in environ if name.startswith(prefix) and name not in known)
    if unknown:
        raise RuntimeSetupError(
            f"unknown setting {', '.join(unknown)}; known: {', '.join(sorted(known))}",
            cause="settings_invalid",
        )
    values = {
        field.name: _parse(name, field.default, environ[name])
        for name, field in known.items()
        if name in environ
    }
    return kind(**values) if start is None else replace(start, **values)


def _parse(name: str, default: Any, text: str) -> Any:
    try:
        if isinstance(default, bool):
            return {"0": False, "1": True, "false": False, "true": True}[text.lower()]
        return type(default)(text)
    except (ValueError, KeyError) as error:
        raise RuntimeSetupError(
            f"{name}={text!r} is not a {type(default).__name__}", cause="settings_invalid"
        ) from error


def _required(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "")
    if not value:
        raise RuntimeSetupError(f"the environment variable {name} is not set", cause="settings_invalid")
    return value


def _whole(environ: Mapping[str, str], name: str, default: int, *, low: int, high: int) -> int:
    value = _parse(name, default, environ.get(name) or str(default))
    if not low <= value <= high:
        raise RuntimeSetupError(f"{name}={value} is outside {low}..{high}", cause="settings_invalid")
    return value
