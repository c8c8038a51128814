"""How much memory a process may still take here: what the kernel can give, within the limit of the control group."""

from __future__ import annotations

import re
from pathlib import Path

_MEMINFO, _GROUP = Path("/proc/meminfo"), Path("/sys/fs/cgroup")
_AVAILABLE = re.compile(r"^MemAvailable:\s+(\d+) kB$", re.MULTILINE)


def available(meminfo: Path = _MEMINFO, group: Path = _GROUP) -> int:
    """Bytes; raises OSError and ValueError on a system that does not say."""
    found = _AVAILABLE.search(meminfo.read_text(encoding="ascii"))
    if found is None:
        raise ValueError(f"{meminfo} has no MemAvailable")
    free = int(found[1]) * 1024
    limit, used = _number(group / "memory.max"), _number(group / "memory.current")
    return free if limit is None or used is None else min(free, max(limit - used, 0))


def _number(path: Path) -> int | None:
    """The number in a file of the control group; None if there is none, or no limit."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() else None
