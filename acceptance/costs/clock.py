"""What the time is, in two ways: a clock that only goes forward, for durations, and the calendar, for dates."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from acceptance.runtimes import ownership

DAY_MS = 86_400_000
_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One moment on one machine."""

    machine: str
    boot: str
    """Which start of the machine; the clock below counts from it."""
    uptime_ms: int
    """Of the monotonic clock: nobody can set it, and it stands still while the machine sleeps."""
    at: str
    """UTC, as 2026-01-02T03:04:05Z. It may jump; it only says on which day something was."""


def now() -> Moment:
    """This moment on this machine."""
    uptime_ms = time.monotonic_ns() // 1_000_000
    return Moment(
        machine=socket.gethostname() or "unknown",
        boot=_boot(uptime_ms),
        uptime_ms=uptime_ms,
        at=time.strftime(_FORMAT, time.gmtime()),
    )


def milliseconds(at: str) -> int:
    """Milliseconds since 1970 of a calendar time; raises ValueError."""
    return round(datetime.strptime(at, _FORMAT).replace(tzinfo=UTC).timestamp()) * 1000


def days(end_ms: int, duration_ms: int) -> list[tuple[str, int]]:
    """(UTC day, milliseconds) of a stretch of calendar time that ended at `end_ms` since 1970, the newest day first."""
    found, last = [], end_ms
    while last > end_ms - duration_ms:
        midnight = (last - 1) // DAY_MS * DAY_MS
        part = last - max(end_ms - duration_ms, midnight)
        found.append((datetime.fromtimestamp(midnight / 1000, UTC).strftime("%Y-%m-%d"), part))
        last -= part
    return found


def _boot(uptime_ms: int) -> str:
    """The kernel's own name of this boot; where it has none, the time of the boot to ten minutes."""
    found = ownership.boot_id()
    return f"about-{(time.time_ns() // 1_000_000 - uptime_ms) // 600_000}" if found == "unknown" else found
