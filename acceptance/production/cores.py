"""How many cores a process may use here: those that it is bound to, within the quota of the control group."""

from __future__ import annotations

import os
from pathlib import Path

_GROUP = Path("/sys/fs/cgroup")


def usable(group: Path = _GROUP) -> int:
    """At least one; a quota of two and a half cores counts as two."""
    bound = len(os.sched_getaffinity(0))
    try:
        quota, period = (group / "cpu.max").read_text(encoding="ascii").split()
        return max(1, min(bound, int(quota) // int(period)))
    except (OSError, ValueError, ZeroDivisionError):  # no such file, or no limit: "max 100000"
        return bound
