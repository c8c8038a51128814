"""A job on an engine that shares no folder with this machine: its folders are volumes, copied in before it and back after it.

A container that is never started holds the volumes open for copying: files go into and come out of a container, not a volume. One volume
has the inputs, which the job cannot write; each output directory has one of its own.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import warnings

from acceptance.failure import EnvironmentBlocked, StepFailure
from acceptance.runtimes.base import ContainerSpec, LineSink, RunningContainer, RunResult
from acceptance.runtimes.docker.archive import Returning, Sending
from acceptance.runtimes.docker.container import host_config, labels, refusals_named, remove_run
from acceptance.runtimes.docker.engine import DockerEngine
from acceptance.runtimes.engine_errors import EngineProblem
from acceptance.runtimes.signals import uninterrupted
from acceptance.runtimes.staging import staging


class Transfer:
    """The volumes of one run, filled; make it with `sent`."""

    def __init__(self, engine: DockerEngine, spec: ContainerSpec, name: str) -> None:
        self._engine, self._spec, self._name = engine, spec, name
        workspace, *outputs = spec.mounts
        if workspace.writable:
            raise EnvironmentBlocked(
                "the engine is on another machine, and only output directories come back from it: set mount = outputs",
                cause="input_not_sendable",
            )
        self._workspace, self._root = workspace.source, workspace.target
        self._mounts = tuple(
            dataclasses.replace(mount, volume=f"{name}-{number}") for number, mount in enumerate((workspace, *outputs))
        )
        uid, gid = _owner(spec.user)
        folders = [str(mount.target.relative_to(self._root)) for mount in outputs]
        self._sending = Sending(workspace=self._workspace, paths=spec.inputs, folders=folders, uid=uid, gid=gid)

    def send(self) -> None:
        """Make the volumes and copy the inputs in; raises EnvironmentBlocked, and then nothing of it is left."""
        try:
            refusals_named(self._create)
            refusals_named(lambda: self._engine.put(self._helper, str(self._root), iter(self._sending)))
        except BaseException:
            remove_run(self._engine, self._spec.run_id)
            raise

    def _create(self) -> None:
        # A call that is cut short leaves a volume behind that is not known here.
        with uninterrupted():
            for mount in self._mounts:
                self._engine.create_volume(mount.volume, labels(self._spec))
            writable = tuple(dataclasses.replace(mount, writable=True) for mount in self._mounts)
            host = {**host_config(dataclasses.replace(self._spec, mounts=writable, gpus="")), "read_only": False}
            config = {"image": self._spec.image.id, "labels": labels(self._spec), "command": ["true"]}
            self._helper = self._engine.create(f"{self._name}-files", config, host)

    def mounted(self, spec: ContainerSpec) -> ContainerSpec:
        """`spec` on the volumes."""
        return dataclasses.replace(spec, mounts=self._mounts)

    def fetch(self) -> None:
        """Copy the output directories back; raises TrainFailed(output_refused) and EnvironmentBlocked, and then nothing has changed here."""
        with staging(self._spec.log_path.parent) as folder_here:
            back = Returning(
                workspace=self._workspace,
                staging=folder_here,
                sending=self._sending,
                max_bytes=self._spec.max_output_bytes,
            )
            for folder in self._sending.folders:
                refusals_named(functools.partial(self._read, back, folder))
            with uninterrupted():
                back.settle()

    def _read(self, back: Returning, folder: str) -> None:
        with contextlib.closing(self._engine.get(self._helper, str(self._root / folder))) as archive:
            back.read(folder, archive)

    def remove(self) -> None:
        """Remove the volumes and what holds them; what the engine refuses is left to the next start's reap."""
        remove_run(self._engine, self._spec.run_id)


class VolumeContainer:
    """A started container whose folders are volumes (`acceptance.runtimes.base.RunningContainer`)."""

    def __init__(self, container: RunningContainer, transfer: Transfer) -> None:
        self._container = container
        self._transfer = transfer
        self._over = self._removed = False

    def wait(self, on_line: LineSink) -> RunResult:
        """Watch it to its end, then copy its outputs back, however it ended."""
        result = self._container.wait(on_line)
        if not result.engine_lost:
            self._fetch()
        return result

    def remove(self) -> None:
        """End it; what it wrote comes back also when nobody waited for its end, so that an interrupted training can be resumed."""
        if self._removed:
            return
        with uninterrupted():
            self._container.remove()
            if not self._over:
                try:
                    self._fetch()
                except (StepFailure, EngineProblem) as error:
                    warnings.warn(
                        f"the outputs of the interrupted job did not come back: {error}", RuntimeWarning, stacklevel=2
                    )
            self._transfer.remove()
            self._removed = True

    def _fetch(self) -> None:
        try:
            self._transfer.fetch()
        except StepFailure:
            self._over = True
            raise
        self._over = True


def _owner(user: str) -> tuple[int, int]:
    """Who may write the output folders; for a name that only the image knows it is its root."""
    uid, _, gid = user.partition(":")
    return (int(uid) if uid.isdecimal() else 0), (int(gid) if gid.isdecimal() else 0)
