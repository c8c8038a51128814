"""Where the sessions of a fleet run. Here: as processes of this machine."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from acceptance.failure import HarnessError
from acceptance.fleet import member_session
from acceptance.fleet.member_workspace import MemberWorkspace
from acceptance.fleet.session_options import SessionOptions
from acceptance.runtimes.signals import uninterrupted

PATIENCE_S = 300.0
"""For so long a session that was asked to end may take for its job, its teardown and its report."""
_POLL_S = 0.05

Started = Callable[[MemberWorkspace], None]
Ended = Callable[[MemberWorkspace, int | HarnessError], None]
"""Receives the workspace, in which everything of the session now lies, and the session's exit status; or why nothing of the session came back."""


class FleetEngine(Protocol):
    """Runs one session for each workspace."""

    name: str

    def run(
        self, workspaces: Sequence[MemberWorkspace], options: SessionOptions, started: Started, ended: Ended
    ) -> None:
        """Return when all have ended. An interrupt ends those that run, reports them as ended, and goes on its way."""


class LocalEngine:
    """Processes of this machine, some at a time."""

    name = "local"

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs

    def run(
        self, workspaces: Sequence[MemberWorkspace], options: SessionOptions, started: Started, ended: Ended
    ) -> None:
        """See FleetEngine."""
        waiting, running = list(workspaces), dict[subprocess.Popen[bytes], MemberWorkspace]()
        try:
            while waiting or running:
                while waiting and len(running) < self._jobs:
                    workspace = waiting.pop(0)
                    workspace.ask(options)
                    with uninterrupted():
                        running[member_session.start(workspace, options)] = workspace
                    started(workspace)
                for process in [each for each in running if each.poll() is not None]:
                    with uninterrupted():  # what it gave must not be lost to a signal
                        ended(running.pop(process), process.returncode)
                time.sleep(_POLL_S)
        finally:
            with uninterrupted():
                end(list(running))
                for process, workspace in running.items():
                    ended(workspace, process.returncode)


def end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Ask sessions to end, and wait until all have; one that does not in time is killed with its group."""
    for process in processes:
        process.terminate()
    give_up = time.monotonic() + PATIENCE_S
    for process in processes:
        try:
            process.wait(max(0.0, give_up - time.monotonic()))
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
