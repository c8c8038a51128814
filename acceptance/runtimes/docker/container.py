"""One hardened container: its configuration, its stream into the log, its end by the engine's own record, its removal."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from acceptance.failure import EnvironmentBlocked, RuntimeBlocked, StepFailure, not_written
from acceptance.runtimes.base import (
    LABEL_OWNER,
    LABEL_RUN_ID,
    BindMount,
    ContainerSpec,
    LineSink,
    RunResult,
)
from acceptance.runtimes.docker.engine import DockerEngine
from acceptance.runtimes.docker.host_options import bind, bounded_engine_log, gpu_request, volume
from acceptance.runtimes.engine_errors import (
    EngineGone,
    EngineProblem,
    EngineRefused,
    entrypoint_failed,
    is_init_complaint,
    run_cause,
)
from acceptance.runtimes.signals import uninterrupted
from acceptance.runtimes.stream import WATCHED_LINES_PER_S, LogTee
from acceptance.runtimes.supervision import ENGINE_LOST_AFTER_S, Exit, settle, watch

LABEL_LAST_SECOND = "voice-acceptance.seconds-allowed"
"""How long the run may take at most; what still exists long after that is reaped whoever owns it."""
LATE_S = 20.0
"""For so long a container is waited for that an engine may still create after its answer was given up."""
MAX_ENGINE_LOG_BYTES = 256 * 2**20

T = TypeVar("T")


def container_config(
    spec: ContainerSpec, *, entrypoint: Sequence[str] = (), command: Sequence[str] = ()
) -> dict[str, Any]:
    """What runs: by image id, never by tag; labelled with its run and its owner."""
    config: dict[str, Any] = {
        "image": spec.image.id,
        "environment": {"HOME": "/tmp", **spec.env},
        "user": spec.user,
        "working_dir": str(spec.workdir),
        "labels": labels(spec),
    }
    if entrypoint:
        config["entrypoint"] = list(entrypoint)
    if command:
        config["command"] = list(command)
    return config


def labels(spec: ContainerSpec) -> dict[str, str]:
    """Whose it is, on everything that the engine makes for a run."""
    return {
        LABEL_RUN_ID: spec.run_id,
        LABEL_OWNER: spec.owner,
        LABEL_LAST_SECOND: str(round(spec.deadline_s + spec.grace_s)),
    }


def host_config(spec: ContainerSpec) -> dict[str, Any]:
    """How it is confined: no network, no capabilities, no new privileges, read-only root, bounded processes, memory and log."""
    return {
        "network_mode": "none",
        "read_only": True,
        "tmpfs": {"/tmp": ""},
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "pids_limit": spec.pids_limit,
        "mem_limit": spec.memory_bytes,
        "memswap_limit": spec.memory_bytes,
        "shm_size": spec.shm_bytes,
        "init": True,
        "auto_remove": False,
        "ipc_mode": "private",
        "log_config": bounded_engine_log(min(spec.max_log_bytes, MAX_ENGINE_LOG_BYTES)),
        "mounts": [_mounted(mount) for mount in spec.mounts],
        "device_requests": [gpu_request(spec.gpus)] if spec.gpus else None,
    }


def _mounted(mount: BindMount) -> Any:
    if mount.volume:
        return volume(mount.volume, str(mount.target), read_only=not mount.writable)
    return bind(str(mount.source), str(mount.target), read_only=not mount.writable)


class DockerContainer:
    """A started container (`acceptance.runtimes.base.RunningContainer`)."""

    def __init__(self, engine: DockerEngine, spec: ContainerSpec, identifier: str, tee: LogTee) -> None:
        self._engine = engine
        self._spec = spec
        self._id = identifier
        self._tee = tee
        self._stream: Iterator[bytes] | None = None
        self._pump: threading.Thread | None = None
        self._began = time.monotonic()
        self._removed = False
        self._closing = threading.Event()

    def start(self) -> None:
        """Attach, then start; a container that did not come up is removed before the failure is raised."""
        try:
            self._stream = self._engine.attach(self._id)
            self._pump = threading.Thread(target=self._feed, name="container-log", daemon=True)
            self._pump.start()
            self._engine.start(self._id)
            self._began = time.monotonic()
            self._settle()
        except BaseException:
            self.remove()
            raise

    def wait(self, on_line: LineSink) -> RunResult:
        """Watch it to its end; see `acceptance.runtimes.base.RunResult`."""
        job = _DockerJob(self._engine, self._id, self._tee)
        spec = self._spec
        return watch(job, self._tee, on_line, began=self._began, deadline_s=spec.deadline_s, grace_s=spec.grace_s)

    def remove(self) -> None:
        """SIGTERM and its grace if it still runs, then removal by force; what the engine refuses is left to the next start's reap."""
        if self._removed:
            return
        with uninterrupted():
            with contextlib.suppress(EngineProblem):
                self._end()
                self._engine.remove(self._id)
                self._removed = True
            self._close_stream()

    def _end(self) -> None:
        """Give a container that still runs its grace, so that the trainer keeps its state and prints its report."""
        give_up = time.monotonic() + self._spec.grace_s
        self._tee.unwatch()
        if self._is_running() and self._engine.signal(self._id, "SIGTERM"):
            while self._is_running() and time.monotonic() < give_up:
                time.sleep(0.1)

    def _is_running(self) -> bool:
        try:
            return self._engine.state(self._id).running
        except EngineRefused:
            return False

    def _close_stream(self) -> None:
        self._tee.unwatch()
        self._closing.set()
        if self._pump is not None:
            self._pump.join(2.0)
            if self._pump.is_alive() and (close := getattr(self._stream, "close", None)):
                close()
                self._pump.join(2.0)
        self._tee.end()

    def _settle(self) -> None:
        """An entrypoint that cannot be executed ends at once: say so here, where nothing was started yet."""
        ended = settle(_DockerJob(self._engine, self._id, self._tee), self._tee, is_init_complaint)
        if ended is not None and not ended.started:
            raise RuntimeBlocked(
                f"the entrypoint cannot be executed: {' '.join(self._tee.head()[:1])}",
                cause="entrypoint_not_executable",
                exit_code=ended.code,
                error="\n".join(self._tee.head()),
            )

    # --- the log thread -------------------------------------------------------------------------------------------------

    def _feed(self) -> None:
        try:
            for data in self._stream or ():
                self._tee.feed(data)
            self._recover()
        finally:
            self._tee.end()

    def _recover(self) -> None:
        """The stream ended. If the container did not, the engine went away: when it is back, take the rest from its own log."""
        was_gone, waiting_since = False, time.monotonic()
        while time.monotonic() - waiting_since < (ENGINE_LOST_AFTER_S if was_gone else 1.0):
            try:
                state = self._engine.state(self._id)
            except EngineGone:
                was_gone = True
                if self._closing.wait(0.3):
                    return
                continue
            except EngineProblem:
                return
            if not state.running and not was_gone:
                return
            if was_gone:
                self._take_rest()
                return
            time.sleep(0.05)

    def _take_rest(self) -> None:
        skip = self._tee.bytes_seen
        with contextlib.suppress(EngineProblem, OSError):
            for data in self._engine.logs(self._id):
                self._tee.feed(data[skip:])
                skip = max(0, skip - len(data))


class _DockerJob:
    """A container as `acceptance.runtimes.supervision.Job`."""

    def __init__(self, engine: DockerEngine, identifier: str, tee: LogTee) -> None:
        self._engine = engine
        self._id = identifier
        self._tee = tee

    def poll(self) -> Exit | None:
        try:
            state = self._engine.state(self._id)
        except EngineRefused as refused:
            if refused.status == 404:
                return Exit(code=None)
            raise EngineGone(f"the engine fails: {refused.text}") from refused
        if state.running:
            return None
        failed = entrypoint_failed(state.exit_code, self._tee.head())
        return Exit(code=state.exit_code, oom_killed=state.oom_killed, started=state.started and not failed)

    def terminate(self) -> bool:
        return self._engine.signal(self._id, "SIGTERM")

    def kill(self) -> None:
        self._engine.signal(self._id, "SIGKILL")


def check_mount_names(spec: ContainerSpec) -> None:
    """The engine's interface can carry the name of every directory to mount; raises EnvironmentBlocked(mount_name_unsupported)."""
    for mount in spec.mounts:
        try:
            str(mount.source).encode("utf-8")
        except UnicodeEncodeError as error:
            raise EnvironmentBlocked(
                f"the engine's interface takes names in UTF-8 only, and {str(mount.source)[-80:]!a} is none",
                cause="mount_name_unsupported",
                path=ascii(str(mount.source)),
            ) from error


def create_container(
    engine: DockerEngine, spec: ContainerSpec, name: str, *, entrypoint: Sequence[str] = (), command: Sequence[str] = ()
) -> DockerContainer:
    """Create and start; raises as `acceptance.runtimes.base.Runtime.start`, and then nothing of it is left."""
    check_mount_names(spec)
    try:
        tee = LogTee(spec.log_path, spec.max_log_bytes, lines_per_s=WATCHED_LINES_PER_S)
    except OSError as error:
        raise not_written("the log cannot be written", error, cause="workspace_unwritable") from error
    try:
        config = container_config(spec, entrypoint=entrypoint, command=command or spec.command)
        # A create call that is cut short leaves a container behind as soon as the engine comes to it.
        with uninterrupted():
            identifier = refusals_named(lambda: engine.create(name, config, host_config(spec)))
        container = DockerContainer(engine, spec, identifier, tee)
        refusals_named(container.start)
    except BaseException as error:
        tee.end()
        remove_run(engine, spec.run_id, late=isinstance(error.__cause__, EngineGone))
        raise
    return container


def remove_run(engine: DockerEngine, run_id: str, *, late: bool = False) -> None:
    """Remove every container and volume of one run; an engine that does not answer leaves them to the next start's reap.

    `late`: the engine was asked for one and did not answer in time, so it may still come: it is waited for a while.
    """
    give_up = time.monotonic() + (LATE_S if late else 0.0)
    with uninterrupted():
        while True:
            try:
                found = engine.owned(f"{LABEL_RUN_ID}={run_id}")
                for each in found:
                    engine.remove(each.id)
                for each in engine.owned_volumes(f"{LABEL_RUN_ID}={run_id}"):
                    engine.remove_volume(each.id)
            except EngineGone as gone:
                if gone.cause != "docker_daemon_hung":
                    return
            except EngineProblem:  # it may refuse to remove what it is still making
                if not late:
                    return
            else:
                late = late and not found
            if not late or time.monotonic() > give_up:
                return
            time.sleep(0.2)


def refusals_named(call: Callable[[], T]) -> T:
    """The result of `call`; what the engine says instead becomes the step failure it means."""
    try:
        return call()
    except EngineGone as gone:
        raise EnvironmentBlocked(f"the engine does not answer: {gone}", cause=gone.cause) from gone
    except EngineRefused as refused:
        raise _failure(refused) from refused


def _failure(refused: EngineRefused) -> StepFailure:
    cause = run_cause(refused.text)
    kind = RuntimeBlocked if cause == "entrypoint_not_executable" else EnvironmentBlocked
    evidence: Mapping[str, object] = {"error": refused.text, "http_status": refused.status}
    return kind(f"the engine refused the container: {refused.text}", cause=cause, **evidence)
