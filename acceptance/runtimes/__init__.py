"""Runtimes: where the training job runs (a Docker engine, or a subprocess as the embedded default)."""

from __future__ import annotations

from pathlib import Path

from acceptance.failure import EnvironmentBlocked
from acceptance.runtimes.base import Runtime
from acceptance.runtimes.docker_runtime import DockerRuntime
from acceptance.runtimes.process_runtime import ProcessRuntime


def choose(name: str, *, project_root: Path, runs_root: Path) -> tuple[Runtime, str]:
    """The runtime called `docker`, `process` or `auto`, and why; `auto` takes Docker where a daemon answers."""
    if name == "docker":
        return DockerRuntime(), "the objective asks for it"
    process = ProcessRuntime(project_root=project_root, runs_root=runs_root)
    if name == "process":
        return process, "the objective asks for it"
    docker = DockerRuntime()
    try:
        docker.check_cli()
        docker.check_daemon()
    except EnvironmentBlocked as reason:
        return process, f"Docker is not available: {reason.message}"
    return docker, "a Docker daemon answers"


def beside(runtime: Runtime, *, project_root: Path, runs_root: Path) -> Runtime:
    """The other runtime, whose killed runs may have left something in the same workspace."""
    return ProcessRuntime(project_root=project_root, runs_root=runs_root) if runtime.name == DockerRuntime.name else DockerRuntime()
