"""The training job: the objective as build and container specifications, and what an ended job left as evidence."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from acceptance.evidence import classify, train_status
from acceptance.evidence.examination import Brief
from acceptance.evidence.untrusted_file import UntrustedFileError, read
from acceptance.failure import StepFailure, TrainFailed
from acceptance.objective import DEFAULT_RECOGNISER, Settings, parse_size
from acceptance.runtimes.base import BindMount, BuildSpec, ContainerSpec, Image, RunResult, Runtime
from acceptance.runtimes.ownership import current_owner
from trainer import wait_policy
from trainer.job.contract import JOB_TYPE, MARKER_LOG, PREPARE_PREFIX, Variable, holds_report, markers_in

_MARKERS_MAX_BYTES = 2**20
_OUTPUT_ROOM = 2**33
"""Beside the checkpoint and the state to resume from: room for clips, when outputs are copied back."""
LISTENING = "listening"
"""Folder of the run with what a person can listen to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedJob:
    """A job that ended, with the evidence in the order in which it counts."""

    result: RunResult
    markers: tuple[str, ...]
    status_cause: str | None
    report_emitted: bool

    def evidence(self) -> classify.Evidence:
        """What the classification sees."""
        return classify.Evidence(
            started=self.result.started,
            engine_lost=self.result.engine_lost,
            oom_killed=self.result.oom_killed,
            deadline_exceeded=self.result.deadline_exceeded,
            exit_code=self.result.exit_code,
            markers=self.markers,
            status_cause=self.status_cause,
            text=self.result.tail,
        )

    def clean(self) -> bool:
        """Whether it ended by itself with exit code 0."""
        return self.result.exit_code == 0 and not self.result.deadline_exceeded and not self.result.engine_lost

    def failure(self) -> StepFailure:
        """Why it did not end well."""
        if self.clean() and not self.report_emitted:
            return TrainFailed(
                "the job ended without a train report",
                cause="train_report_missing",
                log_tail="\n".join(self.result.tail[-20:]),
            )
        return classify.failure_of(self.evidence())

    def facts(self) -> dict[str, object]:
        """Facts for report.json."""
        result = self.result
        return {
            "exit_code": result.exit_code,
            "oom_killed": result.oom_killed,
            "deadline_exceeded": result.deadline_exceeded,
            "engine_lost": result.engine_lost,
            "seconds": round(result.seconds, 2),
            "markers": list(self.markers),
            "report_emitted": self.report_emitted,
        }


def build_spec(settings: Settings, run_dir: Path, run_id: str) -> BuildSpec:
    """The image to build."""
    return BuildSpec(
        context=settings.context_dir(),
        dockerfile=settings.dockerfile,
        tag=settings.image,
        build_args=dict(settings.build_args),
        deadline_s=settings.build_deadline_s,
        log_path=run_dir / "build.log",
        run_id=run_id,
        owner=current_owner(),
    )


def container_spec(
    settings: Settings,
    runtime: Runtime,
    image: Image,
    workspace: Path,
    run_dir: Path,
    run_id: str,
    *,
    preparation: Mapping[str, float],
) -> ContainerSpec:
    """The container to run: the workspace at the objective's mount point, only the output directories writable."""
    mount_point = PurePosixPath(settings.mount_point)
    root = runtime.workspace_root(workspace, mount_point)
    mounts = [BindMount(source=workspace, target=mount_point, writable=settings.mount == "workspace")]
    if settings.mount == "workspace" and (workspace / "artifacts").is_dir():
        # What the harness itself writes there is evidence, and no job may touch it.
        mounts.append(BindMount(source=workspace / "artifacts", target=mount_point / "artifacts", writable=False))
    mounts += [
        BindMount(source=workspace / path, target=mount_point / path, writable=True) for path in settings.output_dirs()
    ]
    return ContainerSpec(
        image=image,
        run_id=run_id,
        owner=current_owner(),
        env={**environment(settings, root, run_id), **preparation_environment(preparation)},
        command=settings.command,
        mounts=tuple(mounts),
        workdir=root,
        user=settings.user or f"{os.getuid()}:{os.getgid()}",
        memory_bytes=parse_size(settings.memory),
        pids_limit=settings.pids_limit,
        shm_bytes=parse_size(settings.shm),
        gpus=settings.gpus,
        deadline_s=settings.train_deadline_s,
        log_path=run_dir / "container.log",
        transfer=settings.transfer,
        inputs=inputs(settings, workspace),
        max_output_bytes=_OUTPUT_ROOM + 4 * parse_size(settings.max_checkpoint),
    )


def inputs(settings: Settings, workspace: Path) -> tuple[str, ...]:
    """What of the workspace a job needs that cannot see it: recording, texts beside it, weights, protected paths."""
    audio = PurePosixPath(settings.audio)
    beside = workspace / audio.parent
    start = _folded(audio.stem) + "."
    names = sorted(path.name for path in beside.iterdir() if not path.is_dir()) if beside.is_dir() else []
    recording = [settings.audio, *(str(audio.parent / name) for name in names if _folded(name).startswith(start))]
    more = [
        path
        for path in (settings.weights, settings.recogniser_weights, *settings.protected)
        if path and os.path.lexists(workspace / path)
    ]
    return tuple(dict.fromkeys([*recording, *more]))


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def environment(settings: Settings, root: PurePosixPath, run_id: str) -> dict[str, str]:
    """The contract's environment, with paths as the job sees them; a job that is no default gets the wait policy too, and writes no bytecode."""
    return {
        "PYTHONDONTWRITEBYTECODE": "1",
        wait_policy.VARIABLE: wait_policy.ASLEEP,
        **settings.env,
        Variable.RUN_ID: run_id,
        Variable.WORKSPACE: str(root),
        Variable.SOURCE_AUDIO: str(root / settings.audio),
        Variable.DATASET_DIR: str((root / settings.manifest).parent),
        Variable.MANIFEST: str(root / settings.manifest),
        Variable.STATUS: str(root / settings.status),
        Variable.CHECKPOINT: str(root / settings.checkpoint),
        Variable.JOB_TYPE: JOB_TYPE,
        Variable.SEED: str(settings.seed),
        Variable.THREADS: str(settings.threads),
        Variable.BACKBONE_NAME: settings.backbone,
        Variable.BACKBONE_WEIGHTS: settings.weights,
        Variable.BACKBONE_LICENCE: settings.weights_licence,
        Variable.BACKBONE_PROMOTE: "1" if settings.allow_promotion else "0",
        **_recogniser(settings),
    }


def _recogniser(settings: Settings) -> dict[str, str]:
    """What a job is told of another recogniser than the default; a trainer that knows none is told nothing."""
    if settings.recogniser == DEFAULT_RECOGNISER:
        return {}
    return {
        Variable.RECOGNISER_NAME: settings.recogniser,
        Variable.RECOGNISER_WEIGHTS: settings.recogniser_weights,
        Variable.RECOGNISER_SHA256: settings.recogniser_sha256,
    }


def brief(settings: Settings, workspace: Path, run_dir: Path, *, audio_bytes: int) -> Brief:
    """What the examining process is told of this objective."""
    return Brief(
        workspace=str(workspace),
        manifest=str(workspace / settings.manifest),
        checkpoint=str(workspace / settings.checkpoint),
        listening=str((run_dir / LISTENING).absolute()),
        audio_bytes=audio_bytes,
        max_checkpoint_bytes=parse_size(settings.max_checkpoint),
        backbone={
            "name": settings.backbone,
            "weights": settings.weights,
            "licence": settings.weights_licence,
            "promote": settings.allow_promotion,
        },
        environment=dict(settings.env),
        seed=settings.seed,
        threads=settings.threads,
    )


def preparation_environment(preparation: Mapping[str, float]) -> dict[str, str]:
    """The policy's thresholds that the job's own preparation decides by."""
    return {PREPARE_PREFIX + name.upper(): repr(value) for name, value in preparation.items()}


def environment_warnings(settings: Settings, preparation: Mapping[str, float]) -> list[str]:
    """One sentence for each `env.VOICE_PREPARE_*` of the objective: either the policy overrules it, or nothing but the objective decides it."""
    decided = preparation_environment(preparation)
    return [
        f"env.{name} of the objective is not used: the threshold policy decides it"
        if name in decided
        else f"env.{name} of the objective changes the preparation; the policy does not know it"
        for name in sorted(settings.env)
        if name.startswith(PREPARE_PREFIX)
    ]


def markers_path(settings: Settings, workspace: Path) -> Path:
    """The phase marker log, beside the train status."""
    return (workspace / settings.status).parent / MARKER_LOG


def ended(result: RunResult, settings: Settings, workspace: Path, run_id: str) -> EndedJob:
    """Collect the evidence of a job that ended."""
    return EndedJob(
        result=result,
        markers=_markers(markers_path(settings, workspace), run_id),
        status_cause=_status_cause(workspace / settings.status, run_id),
        report_emitted=holds_report(result.tail),
    )


def _markers(path: Path, run_id: str) -> tuple[str, ...]:
    """The known markers of this run; a log that names another run counts for nothing."""
    try:
        text = read(path, limit=_MARKERS_MAX_BYTES).decode("utf-8", "replace")
    except UntrustedFileError:
        return ()
    return markers_in(text, run_id)


def _status_cause(path: Path, run_id: str) -> str | None:
    """The cause that this run's own status names; only a hint, and only if it is this run's."""
    try:
        status = train_status.parse(read(path, limit=train_status.MAX_BYTES))
    except (UntrustedFileError, train_status.StatusError):
        return None
    cause = status.get("cause")
    return cause if status.get("run_id") == run_id and isinstance(cause, str) else None
