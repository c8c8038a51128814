"""One job as the container contract describes it: identity, seed, threads and paths, from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from trainer.errors import RuntimeSetupError
from trainer.training.settings import parse


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


def _required(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "")
    if not value:
        raise RuntimeSetupError(f"the environment variable {name} is not set", cause="settings_invalid")
    return value


def _whole(environ: Mapping[str, str], name: str, default: int, *, low: int, high: int) -> int:
    value = parse(name, default, environ.get(name) or str(default))
    if not low <= value <= high:
        raise RuntimeSetupError(f"{name}={value} is outside {low}..{high}", cause="settings_invalid")
    return value
