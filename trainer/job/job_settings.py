"""One job as the container contract describes it: identity, seed, threads and paths, from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from trainer.errors import RuntimeSetupError
from trainer.job.contract import JOB_TYPE, MARKER_LOG, TRAINING_LOG, Variable
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
        return self.status.parent / MARKER_LOG

    @property
    def log(self) -> Path:
        """The losses of every step, as a table."""
        return self.status.parent / TRAINING_LOG

    @property
    def state(self) -> Path:
        """The resume state of an unfinished run."""
        return self.status.parent / "train_state.pt"


def job_from_environment(environ: Mapping[str, str]) -> Job:
    """The job of the container contract; raises RuntimeSetupError(settings_invalid) naming the variable."""
    job_type = environ.get(Variable.JOB_TYPE, JOB_TYPE)
    if job_type != JOB_TYPE:
        raise RuntimeSetupError(f"{Variable.JOB_TYPE}={job_type!r} is not {JOB_TYPE}", cause="settings_invalid")
    workspace = Path(environ.get(Variable.WORKSPACE) or Path.cwd()).absolute()
    paths = {
        name: workspace / _required(environ, name)
        for name in (Variable.SOURCE_AUDIO, Variable.MANIFEST, Variable.STATUS, Variable.CHECKPOINT)
    }
    return Job(
        run_id=_required(environ, Variable.RUN_ID),
        seed=_whole(environ, Variable.SEED, 0, low=0, high=2**31 - 1),
        threads=_whole(environ, Variable.THREADS, 2, low=1, high=256),
        workspace=workspace,
        audio=paths[Variable.SOURCE_AUDIO],
        manifest=paths[Variable.MANIFEST],
        status=paths[Variable.STATUS],
        checkpoint=paths[Variable.CHECKPOINT],
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
