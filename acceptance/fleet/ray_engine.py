"""Sessions on a Ray cluster that shares no disk with this machine."""

from __future__ import annotations

import errno
import os
import signal
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from acceptance.failure import HarnessError
from acceptance.fleet import remote, replacement
from acceptance.fleet.engines import PATIENCE_S, Ended, Started
from acceptance.fleet.member_workspace import MemberWorkspace
from acceptance.fleet.session_options import SessionOptions
from acceptance.production.engines.ray_cluster import AUTO, connected, imported
from acceptance.runtimes.signals import uninterrupted
from trainer.production import version

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_WAIT_S = 1.0
_MOST_LOSSES = 2
"""So often a session may be lost with its machine; one time more is not the machine's fault."""


@dataclass(slots=True, kw_only=True)
class _Running:
    """A session of the cluster."""

    workspace: MemberWorkspace
    actor: Any
    cores: int
    losses: int


class RayEngine:
    """An existing cluster at `address` (`auto` or HOST:PORT). A session has as many cores as its objective has threads."""

    name = "ray"

    def __init__(self, address: str = AUTO, jobs: int | None = None) -> None:
        self._address, self._jobs = address, jobs

    def run(
        self, workspaces: Sequence[MemberWorkspace], options: SessionOptions, started: Started, ended: Ended
    ) -> None:
        """See FleetEngine; raises HarnessError(missing_module | cluster_unreachable | cluster_differs | cluster_too_small)."""
        ray, handlers = imported(), {number: signal.getsignal(number) for number in _SIGNALS}
        with connected(ray, self._address):
            for (
                number,
                handler,
            ) in handlers.items():  # Ray takes SIGTERM for itself, and the fleet would end without its table
                signal.signal(number, handler)
            _Cluster(ray=ray, address=self._address, jobs=self._jobs, options=options).run(workspaces, started, ended)


@dataclass(slots=True, kw_only=True)
class _Cluster:
    ray: Any
    address: str
    jobs: int | None
    options: SessionOptions

    def run(self, workspaces: Sequence[MemberWorkspace], started: Started, ended: Ended) -> None:
        waiting = [(workspace, self.options.settings(workspace.objective).threads) for workspace in workspaces]
        self._check_cores(max((cores for _, cores in waiting), default=0))
        running: dict[Any, _Running] = {}
        try:
            while waiting or running:
                while waiting and self._has_room(list(running.values()), waiting[0][1]):
                    workspace, cores = waiting.pop(0)
                    workspace.ask(self.options)
                    self._begin(running, workspace, cores, losses=0)
                    started(workspace)
                ready, _ = self.ray.wait(list(running), num_returns=1, timeout=_WAIT_S)
                for reference in ready:
                    with uninterrupted():  # what it gave must not be lost to a signal
                        self._advance(running, reference, ended)
        finally:
            with uninterrupted():
                for session in running.values():
                    self._stop(session, ended)

    def _cores(self) -> list[float]:
        return [node["Resources"].get("CPU", 0.0) for node in self.ray.nodes() if node["Alive"]]

    def _check_cores(self, wanted: int) -> None:
        if wanted > max(self._cores(), default=0.0):
            raise HarnessError(
                f"no node of the Ray cluster at {self.address} has the {wanted} cores that an objective's threads need; add a larger node, or "
                "give --set threads=1",
                cause="cluster_too_small",
            )

    def _has_room(self, running: Sequence[_Running], cores: int) -> bool:
        busy = sum(session.cores for session in running)
        return not running or (len(running) != self.jobs and busy + cores <= sum(self._cores()))

    def _begin(self, running: dict[Any, _Running], workspace: MemberWorkspace, cores: int, *, losses: int) -> None:
        actor = self.ray.remote(remote.RemoteSession).options(num_cpus=cores, name=None).remote()
        session = _Running(workspace=workspace, actor=actor, cores=cores, losses=losses)
        running[actor.version.remote()] = session

    def _advance(self, running: dict[Any, _Running], reference: Any, ended: Ended) -> None:
        """Take an answer of a session, and ask it the next thing."""
        session, errors = running.pop(reference), self.ray.exceptions
        try:
            answer = self.ray.get(reference)
            if isinstance(answer, int):
                ended(session.workspace, self._collected(session, answer))
            elif isinstance(answer, str):
                self._check_version(answer)
                running[self._ship(session)] = session
            else:
                running[session.actor.wait.remote(_WAIT_S)] = session
        except errors.RayTaskError as error:
            if not _is_full(error.cause):
                raise self._failed(error) from error
            ended(session.workspace, _of_disk(error.cause, "a machine of the cluster cannot hold its workspace"))
        except errors.RayError as error:
            if session.losses < _MOST_LOSSES:
                self._begin(running, session.workspace, session.cores, losses=session.losses + 1)
                return
            times = f"its machine was lost {session.losses + 1} times ({type(error).__name__})"
            ended(session.workspace, HarnessError(f"{times}; see the cluster's memory (ray status)", cause="node_lost"))

    def _ship(self, session: _Running) -> Any:
        """Send the workspace and start; what comes back is nothing."""
        variables = {name: value for name, value in os.environ.items() if name.startswith("VOICE_")}
        archive = remote.pack(session.workspace.path)
        return session.actor.begin.remote(archive, session.workspace.member, self.options, variables)

    def _check_version(self, found: str) -> None:
        expected = remote.project_version()
        if found != expected:
            raise HarnessError(
                f"a machine of the cluster has another version of the project ({version.differences(expected, found)}); install the same version on "
                "every machine",
                cause="cluster_differs",
            )

    def _failed(self, error: Any) -> HarnessError:
        reason = (str(error.cause).strip().splitlines() or [type(error.cause).__name__])[-1][:300]
        return HarnessError(
            f"a machine of the cluster cannot run a session ({reason}); install the same version of the project on every machine",
            cause="cluster_differs",
        )

    def _collected(self, session: _Running, status: int) -> int | HarnessError:
        """Put what the session left in the place of the workspace; then the inputs are the folder's own files again. The status, or why not."""
        path = session.workspace.path
        archive = self.ray.get(session.actor.packed.remote())
        try:
            replacement.replace(path, lambda fresh: remote.unpack(archive, fresh, trusted=False))
            session.workspace.fill(self.options)
        except tarfile.TarError as error:
            return HarnessError(
                f"what its machine sent back is not used ({error}); see what its job wrote", cause="node_lost"
            )
        except OSError as error:
            return _of_disk(error, f"what its machine sent back cannot be written to {path}")
        except HarnessError as error:
            return error
        finally:
            self.ray.kill(session.actor)
        return status

    def _stop(self, session: _Running, ended: Ended) -> None:
        try:
            status = self.ray.get(session.actor.stop.remote(), timeout=PATIENCE_S + 2 * _WAIT_S)
            outcome = self._collected(session, status)
        except self.ray.exceptions.RayError:
            return  # lost with its machine: its row stays `not_run`
        ended(session.workspace, outcome)


def _of_disk(error: OSError, what: str) -> HarnessError:
    step = "free space there" if _is_full(error) else "see that it can be written"
    cause = "disk_full" if _is_full(error) else "output_not_writable"
    return HarnessError(f"{what} ({error.strerror}); {step}", cause=cause)


def _is_full(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
