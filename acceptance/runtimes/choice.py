"""Chooses where the job runs: a Docker engine, or a subprocess as the embedded default.

The Docker client is imported where Docker is asked for: that takes longer than the rest of a session that a preflight check ends.
"""

from __future__ import annotations

from pathlib import Path

from acceptance.failure import EnvironmentBlocked
from acceptance.runtimes.base import Runtime
from acceptance.runtimes.process.runtime import ProcessRuntime
from acceptance.runtimes.signals import uninterrupted


def choose(name: str, *, project_root: Path, runs_root: Path) -> tuple[Runtime, str]:
    """The runtime called `docker`, `process` or `auto`, and why; `auto` takes Docker where a daemon answers."""
    process = ProcessRuntime(project_root=project_root, runs_root=runs_root)
    if name == "process":
        return process, "the objective asks for it"
    docker = _docker()
    if name == "docker":
        return docker, "the objective asks for it"
    try:
        docker.check_cli()
        docker.check_daemon()
    except EnvironmentBlocked as reason:
        return process, f"Docker is not available: {reason.message}"
    return docker, "a Docker daemon answers"


def beside(runtime: Runtime, *, project_root: Path, runs_root: Path) -> Runtime:
    """The other runtime, whose killed runs may have left something in the same workspace."""
    if runtime.name != ProcessRuntime.name:
        return ProcessRuntime(project_root=project_root, runs_root=runs_root)
    return _docker()


def _docker() -> Runtime:
    with uninterrupted():  # an import that is cut short leaves a lock that nobody opens
        from acceptance.runtimes.docker.runtime import DockerRuntime
    return DockerRuntime()
