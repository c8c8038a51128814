"""Who owns a run: `<boot id>:<pid>:<process start time>:<pid namespace>`, written on everything a run creates.

A pid alone is reused; with the machine's boot id and the process's start time (clock ticks since boot) it names one process for ever.
"""

from __future__ import annotations

import os
from enum import Enum
from pathlib import Path

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
    # It lives in a pid namespace that cannot be seen from here: left alone until its own deadline has passed.
    UNSEEN = "unseen"


def current_owner() -> str:
    """The owner string of this process."""
    pid = os.getpid()
    return f"{_boot_id()}:{pid}:{start_time(pid) or 0}:{_pid_namespace()}"


def liveness(owner: str) -> Liveness:
    """Whether the process that an owner string names still runs; a malformed string is UNSEEN, so that nothing foreign is removed."""
    parts = owner.split(":")
    if len(parts) not in (3, 4) or not parts[0] or not all(part.isascii() and part.isdigit() for part in parts[1:3]):
        return Liveness.UNSEEN
    if parts[0] != _boot_id():
        return Liveness.DEAD
    if len(parts) == 4 and parts[3] != _pid_namespace():
        return Liveness.UNSEEN
    return Liveness.ALIVE if start_time(int(parts[1])) == int(parts[2]) else Liveness.DEAD


def start_time(pid: int) -> int | None:
    """Start time of a running process in clock ticks since boot; None when there is none (a zombie counts as none)."""
    fields = stat_fields(pid)
    if fields is None or fields[_STATE] in ("Z", "X"):
        return None
    return int(fields[_START_TIME])


def stat_fields(pid: int) -> list[str] | None:
    """Fields of /proc/<pid>/stat after the command name (which may hold spaces and parentheses); None when it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"


def _pid_namespace() -> str:
    try:
        return os.readlink(_PID_NAMESPACE).strip("pid:[]")
    except OSError:
        return "0"
