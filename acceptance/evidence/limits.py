"""What the examining process may use, set by itself before it opens anything that a container wrote."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal

_PDEATHSIG, _NO_NEW_PRIVS = 1, 38
_FILE_BYTES = 2**20


def confine() -> None:
    """For good: no core file, only small files, no new privileges, and an end when the parent ends."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_BYTES, _FILE_BYTES))
    parent = os.getppid()
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
        libc.prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before that
        os._exit(1)


def allow(*, memory_bytes: int, cpu_seconds: int) -> None:
    """For the next piece of work: so much more address space and processor time than is used now."""
    # Not RLIMIT_CPU: it counts from the start of the process, in ticks, and what getrusage says of the past may be half or twice as much.
    signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
    with open("/proc/self/statm", encoding="ascii") as file:
        mapped = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (mapped + memory_bytes, resource.RLIM_INFINITY))
