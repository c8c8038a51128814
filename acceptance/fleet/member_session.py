"""One `pytest acceptance` in a process of its own, on the workspace of one voice."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable

from acceptance.fleet.member_workspace import POLICY, MemberWorkspace
from acceptance.fleet.session_options import SessionOptions
from acceptance.objective import PROJECT_ROOT
from acceptance.report import ci_summary

_PR_SET_PDEATHSIG = 1


def start(workspace: MemberWorkspace, options: SessionOptions) -> subprocess.Popen[bytes]:
    """Start the session; what it prints goes to the workspace's log. Call it in the main thread.

    It has a process group of its own, so that Ctrl-C reaches it once, through its fleet. If the fleet is killed, the kernel sends it SIGTERM:
    then it ends its job and prints its report as after any other signal.
    """
    workspace.log.parent.mkdir(parents=True, exist_ok=True)
    workspace.junit.unlink(missing_ok=True)  # no reader may take an earlier session's file for this one's
    with workspace.log.open("wb") as log:
        return subprocess.Popen(
            command(workspace, options), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            env=_environment(), preexec_fn=_end_with_parent(),
        )  # fmt: skip


def command(workspace: MemberWorkspace, options: SessionOptions) -> list[str]:
    """The command line. Sessions side by side share no cache of pytest."""
    package = [str(PROJECT_ROOT / "acceptance")] if (PROJECT_ROOT / "pyproject.toml").is_file() else []
    return [
        *(sys.executable, "-m", "pytest", *(package or ("--pyargs", "acceptance")), "-q", "-p", "no:cacheprovider"),
        *(f"--objective={workspace.objective}", f"--workspace={workspace.path}", f"--junitxml={workspace.junit}"),
        *options.arguments(workspace.path / POLICY),
    ]


def _environment() -> dict[str, str]:
    """This process's own; the CI system gets one summary of the fleet, not one of each session."""
    kept = {name: value for name, value in os.environ.items() if name != ci_summary.VARIABLE}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1"}


def _end_with_parent() -> Callable[[], None]:
    """What the new process does before it becomes the session."""
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def before() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:  # it ended before it could be watched
            os._exit(1)

    return before
