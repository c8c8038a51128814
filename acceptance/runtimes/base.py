"""What a runtime promises: build, probe, start, wait, remove - the same contract for Docker and for a subprocess.

The harness never talks to an engine; it talks to a `Runtime`. Runtimes return what they observed (`Image`, `Probe`, `RunResult`) and
raise `acceptance.failure.StepFailure` only where a step cannot even be attempted (no engine, image cannot be built, container cannot be
created). Whether what was observed is a success is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Protocol

LineSink = Callable[[str], None]
"""Receives one decoded line (no newline) of a build log or of a container's stream."""

LABEL_RUN_ID = "voice-acceptance.run-id"
LABEL_OWNER = "voice-acceptance.owner"
"""Labels on everything created: the run's id, and its owner (`acceptance.runtimes.ownership`), who must be alive for it to stay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSpec:
    """What to build: a context directory, the Dockerfile inside it, the tag and the build arguments."""

    context: Path
    dockerfile: str
    tag: str
    build_args: Mapping[str, str] = field(default_factory=dict)
    deadline_s: float
    log_path: Path
    run_id: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A built image: its immutable id, the digest of the context it was built from, and the tag it was given."""

    id: str
    tag: str
    context_sha256: str
    seconds: float
    warnings: tuple[str, ...] = ()
    """What the build had to do without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BindMount:
    """One directory of the host, seen by the container at `target`."""

    source: Path
    target: PurePosixPath
    writable: bool
    volume: str = ""
    """Name of the engine's volume that stands for it, where the engine cannot see the directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSpec:
    """One hardened container: no network, read-only root, no capabilities, the given user, limits and a deadline."""

    image: Image
    run_id: str
    owner: str
    env: Mapping[str, str]
    """Environment with paths as the *container* sees them (`Runtime.workspace_root` tells where the workspace is)."""
    command: tuple[str, ...] = ()
    """Replaces the image's command when not empty."""
    mounts: tuple[BindMount, ...]
    """The first one is the workspace; the ones inside it are its output directories."""
    transfer: str = "auto"
    """How an engine's container gets these folders: `bind`, `volume` (copied in and back), or `auto`."""
    inputs: tuple[str, ...] = ()
    """What `volume` copies in besides the output directories: paths in the workspace."""
    max_output_bytes: int = 2**33
    """What `volume` copies back at most."""
    workdir: PurePosixPath
    user: str
    memory_bytes: int
    pids_limit: int
    shm_bytes: int
    gpus: str = ""
    """`""` none, `all`, or a count."""
    deadline_s: float
    grace_s: float = 10.0
    """Seconds between SIGTERM and SIGKILL when the deadline passes or the session is interrupted."""
    log_path: Path
    max_log_bytes: int = 256 * 2**20
    """The stream is written to `log_path` up to this size; beyond it only a line saying so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Answer of the write probe: a container with the run's mounts that creates and removes one file per output directory."""

    started: bool
    writable: bool
    detail: str
    """One line per directory that refused, with the errno's text; empty when all are writable."""
    shared: bool = True
    """Whether what the job writes is seen here at once; else it comes when the job has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """How a container (or process) ended, from the engine's own state; never from what it printed."""

    exit_code: int | None
    """None when the true exit code is unknown: the engine vanished, or someone removed the container."""
    started: bool
    """False when the container never ran its entrypoint (it could not be executed)."""
    oom_killed: bool
    deadline_exceeded: bool
    """True only when this harness stopped it for its deadline."""
    engine_lost: bool
    seconds: float
    log_path: Path
    tail: tuple[str, ...]
    """The last 200 lines of the stream."""
    log_error: str | None = None
    """Why the file at `log_path` is incomplete; None when all of the stream (up to its limit) was written."""


class RunningContainer(Protocol):
    """A started container. `wait` may be called once; `remove` always works, any number of times, also with signals pending."""

    def wait(self, on_line: LineSink) -> RunResult:
        """Watch it to its end, its lines to `on_line` (of a flood only some, see `stream.LogTee`); its deadline is enforced on the way."""

    def remove(self) -> None:
        """End what still runs of it, after its grace, and remove it; what refuses is left to `reap`."""


class Runtime(Protocol):
    """Where the training job runs."""

    name: str
    """`docker` or `process`; printed in the report."""

    def workspace_root(self, workspace: Path, mount_point: PurePosixPath) -> PurePosixPath:
        """Path of the workspace as the job sees it (Docker: the mount point; process: the real path)."""

    def check_cli(self) -> str:
        """Version line of the client; raises EnvironmentBlocked(cause=docker_cli_missing)."""

    def check_daemon(self) -> str:
        """Version line of the engine within 10 s.

        Raises EnvironmentBlocked(docker_daemon_unreachable | docker_socket_denied | docker_daemon_hung).
        """

    def build(self, spec: BuildSpec, on_line: LineSink) -> Image:
        """Build the image; raises EnvironmentBlocked(base_image_missing | dockerfile_invalid | build_context_missing_file | build_step_failed |
        build_packages_unavailable | disk_full | build_deadline_exceeded | policy_denied | docker_daemon_unreachable)."""

    def context_digest(self, spec: BuildSpec) -> str:
        """Digest of the build context as it is on disk now (the same function that `build` used)."""

    def probe(self, spec: ContainerSpec) -> Probe:
        """Run the write probe.

        Raises EnvironmentBlocked when the container cannot be created (mount_source_missing | policy_denied | gpu_unavailable | ...).
        """

    def start(self, spec: ContainerSpec) -> RunningContainer:
        """Create and start; returns once the engine says it has started.

        Raises EnvironmentBlocked as `probe`, RuntimeBlocked(entrypoint_not_executable) when the entrypoint cannot be executed.
        """

    def forget(self, run_id: str) -> None:
        """Remove whatever this process's run still has here, also what an interrupt kept from being handed over; never raises."""

    def reap(self, run_ids: frozenset[str] = frozenset()) -> tuple[str, ...]:
        """Remove what dead runs left behind (labels name the owner); never touches what a live owner runs. Returns the run ids reaped.

        An owner that cannot be seen from here (another machine or pid namespace) is left alone until long after its deadline, unless
        its run is one of `run_ids`: unfinished runs of a workspace whose lock the caller holds, which nobody else can be running. Raises
        EnvironmentBlocked where a container of these stays, for it may write what the next run writes.
        """

    def facts(self) -> Mapping[str, str]:
        """Non-deterministic facts for report.json: engine version, isolation in force (`network: none|not_isolated`)."""
