"""How often the kernel killed a process for memory, as far as this process may read it."""

from __future__ import annotations

from pathlib import Path

_VMSTAT = Path("/proc/vmstat")


def oom_kills() -> int:
    """Kills so far in this process's control group (v2, then v1), else on the whole machine; 0 when nothing can be read."""
    for path in (*_cgroup_files(), _VMSTAT):
        count = _counter(path)
        if count is not None:
            return count
    return 0


def _cgroup_files() -> list[Path]:
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            found.append(Path("/sys/fs/cgroup") / path.lstrip("/") / "memory.events")
        elif "memory" in controllers.split(","):
            found.append(Path("/sys/fs/cgroup/memory") / path.lstrip("/") / "memory.oom_control")
    return found


def _counter(path: Path) -> int | None:
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), None)
