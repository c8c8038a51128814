"""Who owns a run: `<machine>:<boot id>:<pid>:<process start time>:<pid namespace>`, written on everything a run creates.

A pid alone is reused; with the machine's boot id and the process's start time (clock ticks since boot) it names one process for ever.
The machine is told apart because several may share one Docker daemon: what runs on another one cannot be judged from here.
"""

from __future__ import annotations

import hashlib
import os
import platform
from enum import Enum
from pathlib import Path

_MACHINE_ID = Path("/etc/machine-id")
_UNSET_MACHINE_IDS = ("", "uninitialized")
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_PID_NAMESPACE = "/proc/self/ns/pid"
_STATE, _START_TIME = 0, 19
"""Positions after the command name in /proc/<pid>/stat (fields 3 and 22 of proc(5))."""


class Liveness(Enum):
    """What can be known of an owner from here."""

    # Its run is left alone.
    ALIVE = "alive"
    # Its leftovers are removed.
    DEAD = "dead"
    # It lives on another machine, or in a pid namespace that cannot be seen from here: left alone until its own deadline has passed.
    UNSEEN = "unseen"


def current_owner() -> str:
    """The owner string of this process."""
    pid = os.getpid()
    return f"{_machine()}:{boot_id()}:{pid}:{start_time(pid) or 0}:{_pid_namespace()}"


def liveness(owner: str, *, abandoned: bool = False) -> Liveness:
    """Whether the process that an owner string names still runs; a malformed string is UNSEEN, so that nothing foreign is removed.

    `abandoned`: its run is known to have ended without it, so an owner that cannot be seen is DEAD.
    """
    state = _as_seen(owner)
    return Liveness.DEAD if abandoned and state is Liveness.UNSEEN else state


def _as_seen(owner: str) -> Liveness:
    parts = owner.split(":")
    if len(parts) != 5 or not all(parts) or not all(part.isascii() and part.isdigit() for part in parts[2:4]):
        return Liveness.UNSEEN
    machine, boot, pid, start, namespace = parts
    if machine != _machine():
        return Liveness.UNSEEN
    if boot != boot_id():
        return Liveness.DEAD
    if namespace != _pid_namespace():
        return Liveness.UNSEEN
    return Liveness.ALIVE if start_time(int(pid)) == int(start) else Liveness.DEAD


def start_time(pid: int) -> int | None:
    """Start time of a running process in clock ticks since boot; None when there is none (a zombie counts as none)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the command's name before it may hold spaces and parentheses
    return None if fields[_STATE] in ("Z", "X") else int(fields[_START_TIME])


def _machine() -> str:
    """A digest of the machine's id (the id itself is not for others), of its host name where it has none."""
    try:
        name = _MACHINE_ID.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        name = ""
    if name in _UNSET_MACHINE_IDS:
        name = platform.node()
    return hashlib.sha256(f"voice-acceptance {name}".encode()).hexdigest()[:16]


def boot_id() -> str:
    """The kernel's name of this start of the machine; `unknown` where it has none."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"


def _pid_namespace() -> str:
    try:
        return os.readlink(_PID_NAMESPACE).strip("pid:[]")
    except OSError:
        return "0"
