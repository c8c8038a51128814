"""The Docker runtime: preflight, image, write probe, training container and reaping, on one engine."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import re
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from acceptance.failure import EnvironmentBlocked, StepFailure
from acceptance.runtimes.base import (
    LABEL_OWNER,
    LABEL_RUN_ID,
    BuildSpec,
    ContainerSpec,
    Image,
    LineSink,
    Probe,
    RunningContainer,
)
from acceptance.runtimes.docker import build
from acceptance.runtimes.docker.client import endpoint, is_elsewhere
from acceptance.runtimes.docker.container import LABEL_LAST_SECOND, create_container, refusals_named, remove_run
from acceptance.runtimes.docker.engine import DockerEngine, Owned
from acceptance.runtimes.docker.volume import Transfer, VolumeContainer
from acceptance.runtimes.engine_errors import EngineGone, EngineProblem, EngineRefused, connect_cause
from acceptance.runtimes.ownership import Liveness, liveness
from acceptance.runtimes.write_probe import probe_command, probe_spec, probed

_CLI_TIMEOUT_S = 10
_UNSEEN_MARGIN_S = 3600.0
"""A container whose owner cannot be seen from here is reaped only this long after its own deadline."""


class DockerRuntime:
    """`acceptance.runtimes.base.Runtime` on a Docker Engine; `environ` (default: the process's) tells where that is."""

    name = "docker"

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._engine = DockerEngine(environ)
        self._environ = environ
        self._transfers: dict[str, Transfer] = {}

    def workspace_root(self, workspace: Path, mount_point: PurePosixPath) -> PurePosixPath:
        return mount_point

    def check_cli(self) -> str:
        path = None if self._environ is None else self._environ.get("PATH", "")
        found = shutil.which("docker", path=path)
        if found is None:
            raise EnvironmentBlocked("there is no docker command on PATH", cause="docker_cli_missing")
        try:
            answer = subprocess.run(
                [found, "--version"],
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_CLI_TIMEOUT_S,
                check=True,
                stdin=subprocess.DEVNULL,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise EnvironmentBlocked(
                f"the docker command does not work: {error}", cause="docker_cli_missing", path=found
            ) from error
        return answer.stdout.strip()

    def check_daemon(self) -> str:
        try:
            version = self._engine.connect()
        except EngineGone as gone:
            raise EnvironmentBlocked(f"the Docker daemon does not answer: {gone}", cause=gone.cause) from gone
        except EngineRefused as refused:
            cause = connect_cause(refused.text)
            raise EnvironmentBlocked(
                f"the Docker daemon refuses: {refused.text}", cause=cause, error=refused.text
            ) from refused
        return f"Docker Engine {version.get('Version', 'unknown')}, API {version['ApiVersion']}"

    def build(self, spec: BuildSpec, on_line: LineSink) -> Image:
        return build.build_image(self._engine, spec, on_line)

    def context_digest(self, spec: BuildSpec) -> str:
        return build.context_digest(spec)

    def probe(self, spec: ContainerSpec) -> Probe:
        transfer = self._transfer(spec, elsewhere=is_elsewhere(endpoint(self._environ).host))
        if transfer is None:
            try:
                return self._probed(spec)
            except EnvironmentBlocked as failure:
                if failure.cause != "mount_source_missing" or not _is_here(spec):
                    raise
                transfer = self._transfer(spec, elsewhere=True)
                if transfer is None:
                    raise
        return dataclasses.replace(self._probed(transfer.mounted(spec)), shared=False)

    def _transfer(self, spec: ContainerSpec, *, elsewhere: bool) -> Transfer | None:
        """The filled volumes of a run that needs some."""
        if spec.transfer == "bind" or (spec.transfer == "auto" and not elsewhere):
            return None
        transfer = Transfer(self._engine, spec, container_name(spec.run_id))
        transfer.send()
        self._transfers[spec.run_id] = transfer
        return transfer

    def _probed(self, spec: ContainerSpec) -> Probe:
        name = container_name(spec.run_id) + "-probe"
        writable = [str(mount.target) for mount in spec.mounts if mount.writable]
        shell, *arguments = probe_command(name, writable)
        return probed(create_container(self._engine, probe_spec(spec), name, entrypoint=(shell,), command=arguments))

    def start(self, spec: ContainerSpec) -> RunningContainer:
        transfer = self._transfers.get(spec.run_id)
        if transfer is None:
            return create_container(self._engine, spec, container_name(spec.run_id))
        started = create_container(self._engine, transfer.mounted(spec), container_name(spec.run_id))
        return VolumeContainer(started, transfer)

    def forget(self, run_id: str) -> None:
        remove_run(self._engine, run_id)

    def reap(self, run_ids: frozenset[str] = frozenset()) -> tuple[str, ...]:
        reaped = set()
        containers = refusals_named(lambda: self._engine.owned(LABEL_OWNER))
        volumes = refusals_named(lambda: self._engine.owned_volumes(LABEL_OWNER))
        for found, remove in (
            *((each, self._engine.remove) for each in containers),
            *((each, self._engine.remove_volume) for each in volumes),  # no container uses them any more
        ):
            if not _is_leftover(found, run_ids):
                continue
            run_id = found.labels.get(LABEL_RUN_ID, "")
            # A container of the caller's own that stays may write the outputs of the next run; one of others is others' trouble.
            with contextlib.suppress(*(() if run_id in run_ids else (StepFailure,))):
                refusals_named(functools.partial(remove, found.id))
                reaped.add(run_id)
        return tuple(sorted(reaped))

    def facts(self) -> Mapping[str, str]:
        try:
            version, info = self._engine.connect(), self._engine.info()
        except EngineProblem as problem:
            return {"engine": f"unknown: {problem}"}
        options = " ".join(info.get("SecurityOptions") or ())
        return {
            "engine": str(version.get("Version", "")),
            "api": str(version["ApiVersion"]),
            "storage_driver": str(info.get("Driver", "")),
            "cgroup": f"v{info.get('CgroupVersion', '1')} {info.get('CgroupDriver', '')}",
            "kernel": str(info.get("KernelVersion", "")),
            "rootless": "yes" if "rootless" in options else "no",
            "security_options": options,
            "network": "none",
            "root_filesystem": "read-only",
        }


def container_name(run_id: str) -> str:
    """Name of a run's container: characters that an engine refuses become dashes."""
    return "voice-acceptance-" + re.sub(r"[^A-Za-z0-9_.-]", "-", run_id)


def _is_here(spec: ContainerSpec) -> bool:
    """Whether this machine has every folder to mount, so that an engine which has not is on another one."""
    return all(mount.source.is_dir() for mount in spec.mounts)


def _is_leftover(found: Owned, run_ids: frozenset[str]) -> bool:
    state = liveness(found.labels[LABEL_OWNER], abandoned=found.labels.get(LABEL_RUN_ID) in run_ids)
    if state is not Liveness.UNSEEN:
        return state is Liveness.DEAD
    allowed = found.labels.get(LABEL_LAST_SECOND, "")
    return allowed.isdecimal() and time.time() > found.created + int(allowed) + _UNSEEN_MARGIN_S
