"""Session fixtures, one per stage, each made once: settings -> engine -> image -> launch -> training run -> artifacts."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from acceptance.evidence import job, listening, recording
from acceptance.evidence.artifacts import Artifacts
from acceptance.evidence.child import Examiner
from acceptance.evidence.launch import Launch
from acceptance.evidence.measurement import AHEAD, DATA_MARKER
from acceptance.evidence.outputs import Outputs
from acceptance.evidence.protected_paths import names, remove_bytecode, snapshot
from acceptance.failure import EnvironmentBlocked, is_full
from acceptance.objective import PROJECT_ROOT, Settings
from acceptance.record.record import Recorder
from acceptance.runtimes.base import BuildSpec, Image, Runtime
from acceptance.runtimes.choice import beside, choose
from acceptance.session import spending
from acceptance.session.key import run_key
from acceptance.session.live import BuildProgress, TrainProgress
from acceptance.session.run_session import RunSession
from trainer.files.atomic_file import sweep


@pytest.fixture(scope="session")
def run(request: pytest.FixtureRequest) -> RunSession:
    """This session's run."""
    return request.config.stash[run_key]


@pytest.fixture(scope="session")
def recorder(run: RunSession) -> Recorder:
    """Where findings are written down."""
    return run.recorder


@pytest.fixture(scope="session")
def settings(run: RunSession) -> Settings:
    """The objective."""
    return run.settings


@pytest.fixture(scope="session")
def source(run: RunSession, settings: Settings) -> recording.SourceRecording:
    """The recording; raises DataBlocked when there is none to look at."""
    found = recording.find(run.workspace, settings.audio)
    run.recorder.fact("audio", {"path": found.relative, "bytes": found.bytes, "sha256": found.sha256})
    return found


@pytest.fixture(scope="session")
def engine(run: RunSession, settings: Settings) -> Runtime:
    """The runtime of the objective; `auto` is decided here, once, and written down with its reason."""
    runtime, reason = choose(settings.runtime, project_root=PROJECT_ROOT, runs_root=run.run_dir.parent)
    run.recorder.fact("runtime", {"name": runtime.name, "chosen": reason})
    return runtime


@pytest.fixture(scope="session")
def daemon(run: RunSession, engine: Runtime) -> str:
    """The engine's version line."""
    version = engine.check_daemon()
    run.recorder.fact("runtime", {**run.record.facts["runtime"], **engine.facts()})
    return version


@pytest.fixture(scope="session")
def build_spec(run: RunSession, settings: Settings) -> BuildSpec:
    """What the image is built from."""
    return job.build_spec(settings, run.run_dir, run.record.run_id)


@pytest.fixture(scope="session")
def image(run: RunSession, engine: Runtime, daemon: str, build_spec: BuildSpec) -> Image:
    """The training image, built once; first of all, what dead runs left behind is removed."""
    run.clean_up_after_the_dead(engine, lambda: beside(engine, project_root=PROJECT_ROOT, runs_root=run.run_dir.parent))
    built = engine.build(build_spec, BuildProgress(run.screen.line))
    run.recorder.fact(
        "image",
        {"id": built.id, "tag": built.tag, "context_sha256": built.context_sha256, "seconds": round(built.seconds, 2)},
    )
    for warning in built.warnings:
        run.recorder.warn(warning)
    return built


@pytest.fixture(scope="session")
def launch(
    run: RunSession, settings: Settings, engine: Runtime, image: Image, source: recording.SourceRecording
) -> Iterator[Launch]:
    """Probe the mounts, then start the training job; whatever happens, its container is gone when the session ends."""
    spending.require_budget(run)
    outputs = _prepare_outputs(run, settings)
    preparation = run.policy.preparation()
    for warning in job.environment_warnings(settings, preparation):
        run.recorder.warn(warning)
    spec = job.container_spec(
        settings, engine, image, run.workspace, run.run_dir, run.record.run_id, preparation=preparation
    )
    run.endings.callback(engine.forget, run.record.run_id)
    container, writes_none = None, sys.dont_write_bytecode
    clock = contextlib.ExitStack()
    try:
        probe = engine.probe(spec)
        run.recorder.fact(
            "runtime", {**run.record.facts["runtime"], "transfer": "shared folders" if probe.shared else "volume"}
        )
        sys.dont_write_bytecode = True  # from here all new bytecode in protected paths is another's
        protected = snapshot(run.workspace, PROJECT_ROOT, paths=settings.protected)
        if probe.writable:
            clock.enter_context(spending.tracked(run, "training"))
            container = engine.start(spec)
        yield Launch(probe=probe, container=container, outputs=outputs, protected=protected, clock=clock)
    finally:
        clock.close()
        sys.dont_write_bytecode = writes_none
        if container is not None:
            container.remove()


@pytest.fixture(scope="session")
def examiner(run: RunSession, settings: Settings, source: recording.SourceRecording) -> Iterator[Examiner]:
    """The process that reads what the job's container wrote."""
    brief = job.brief(settings, run.workspace, run.run_dir, audio_bytes=source.bytes)
    with contextlib.closing(Examiner(brief)) as process:
        yield process
        if "job" in run.record.facts:  # it ended while somebody watched
            _keep_listening(run, settings, process)


@pytest.fixture(scope="session")
def training(run: RunSession, settings: Settings, launch: Launch, examiner: Examiner) -> job.EndedJob:
    """The training, watched to its end."""
    assert launch.container is not None, "a job whose outputs are not writable is never started"
    with run.screen.terminal() as terminal, launch.clock:
        progress = TrainProgress(run.screen.line, terminal=terminal)

        def take(line: str) -> None:
            if line == DATA_MARKER and settings.remeasure and launch.probe.shared:
                examiner.begin(AHEAD)
            progress(line)

        try:
            result = launch.container.wait(take)
        finally:
            progress.close()
    launch.container.remove()
    removed = remove_bytecode(launch.protected, run.workspace, PROJECT_ROOT, paths=settings.protected)
    if removed:
        run.recorder.warn(
            f"removed bytecode that appeared beside protected sources while the job ran: {names(removed)}"
        )
    ended = job.ended(result, settings, run.workspace, run.record.run_id)
    run.recorder.fact("job", ended.facts())
    if result.log_error is not None:
        run.recorder.warn(f"the job's log is incomplete: {result.log_error}")
    if result.oom_killed and ended.clean():
        run.recorder.warn("the kernel killed a process of the job for memory, and the job ended well all the same")
    return ended


@pytest.fixture(scope="session")
def artifacts(
    run: RunSession,
    settings: Settings,
    launch: Launch,
    training: job.EndedJob,
    source: recording.SourceRecording,
    examiner: Examiner,
) -> Artifacts:
    """The files that the training left."""
    return Artifacts(
        settings=settings,
        outputs=launch.outputs,
        recording=source,
        run_id=run.record.run_id,
        examiner=examiner,
        thresholds=run.policy.preparation(),
        ended_well=training.clean(),
    )


@pytest.fixture(scope="session")
def manifest(recorder: Recorder, artifacts: Artifacts) -> dict[str, Any]:
    """Facts of the manifest, checked."""
    facts = artifacts.manifest()
    _note(recorder, artifacts, "manifest", facts)
    return facts


@pytest.fixture(scope="session")
def status(recorder: Recorder, artifacts: Artifacts) -> dict[str, Any]:
    """The train status as strict JSON."""
    value = artifacts.status()
    _note(recorder, artifacts, "status", value)
    return value


@pytest.fixture(scope="session")
def checkpoint(recorder: Recorder, artifacts: Artifacts) -> dict[str, Any]:
    """Facts of the checkpoint, checked."""
    facts = artifacts.checkpoint()
    _note(recorder, artifacts, "checkpoint", facts)
    return facts


def _note(recorder: Recorder, artifacts: Artifacts, name: str, facts: dict[str, Any]) -> None:
    """Facts of an artifact enter the report only when this run wrote it."""
    if artifacts.outputs.is_new(name):
        recorder.fact(name, facts)


def _keep_listening(run: RunSession, settings: Settings, examiner: Examiner) -> None:
    """Keep what a person can listen to for the run's page; whatever fails there costs the page, never the run."""
    try:
        found = listening.collect(
            settings,
            run.workspace,
            run.run_dir,
            examiner,
            began=float(run.record.session["time"]),
            manifest_sha256=run.record.manifest.get("sha256"),
        )
    except Exception as error:
        run.recorder.warn(f"nothing to listen to was kept for the run's page: {type(error).__name__}: {error}")
        return
    run.recorder.fact("listening", found.facts)
    for problem in found.problems:
        run.recorder.warn(f"for listening: {problem}")


def _prepare_outputs(run: RunSession, settings: Settings) -> Outputs:
    """Make the output directories and keep what stands in them safe; raises EnvironmentBlocked mount_not_writable."""
    try:
        for directory in settings.output_dirs():
            (run.workspace / directory).mkdir(parents=True, exist_ok=True)
            sweep(run.workspace / directory)
        with contextlib.suppress(OSError):  # the write probe says it better
            job.markers_path(settings, run.workspace).unlink()
        listening.clear(settings, run.workspace)
        return Outputs.keep(settings, run.workspace, run.run_dir)
    except OSError as error:
        raise EnvironmentBlocked(
            f"the outputs cannot be prepared: {error.strerror}",
            cause="disk_full" if is_full(error) else "mount_not_writable",
            directories=", ".join(settings.output_dirs()),
        ) from error
