"""Runs pytest as it would run where only the given distributions are installed and no POSIX-only module exists.

Started as a program: `lean.py DISTRIBUTION... -- PYTEST_ARGUMENT...`. What stands in for Windows is the absence of modules, signals and flags;
its path separators and file system are not imitated.
"""

from __future__ import annotations

import importlib.abc
import os
import re
import signal
import sys
import warnings
from importlib import metadata

POSIX_ONLY = frozenset(
    {
        "fcntl",
        "resource",
        "pwd",
        "grp",
        "termios",
        "tty",
        "pty",
        "syslog",
        "posixshmem",
        "_posixshmem",
        "curses",
        "_curses",
        "readline",
        "crypt",
    }
)
_SIGNALS = ("SIGHUP", "SIGKILL", "SIGCHLD", "SIGPIPE", "SIGALRM", "SIGUSR1", "SIGUSR2")
_NAMES = (
    *(
        "O_NONBLOCK",
        "O_CLOEXEC",
        "O_NOFOLLOW",
        "O_DIRECTORY",
        "O_NOCTTY",
        "O_SYNC",
        "fchown",
        "chown",
        "geteuid",
        "getgid",
        "killpg",
    ),
    *("getpgid", "setsid", "fork", "mkfifo", "sched_getaffinity", "pread", "pwrite", "uname"),
)


class Absent(importlib.abc.MetaPathFinder):
    """Refuses modules as if they were not installed."""

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:
        if fullname.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)


def closure(names: list[str]) -> set[str]:
    """Distributions that an installation of `names` brings, by their normalised names."""
    found, waiting = set(), list(names)
    while waiting:
        name = _normalised(waiting.pop())
        if name in found:
            continue
        found.add(name)
        for requirement in metadata.requires(name) or []:
            needed, _, condition = requirement.partition(";")
            if "extra ==" not in condition and _is_installed(needed):
                waiting.append(re.match(r"[\w.-]+", needed)[0])
    return found


def install(distributions: list[str]) -> None:
    """Take away every other installed module, the POSIX-only ones, and what of os and signal Windows does not have."""
    allowed = closure(distributions)
    others = {
        module
        for module, owners in metadata.packages_distributions().items()
        if not {_normalised(owner) for owner in owners} & (allowed | {"voice-acceptance"})
    }
    for module in [module for module in sys.modules if module.partition(".")[0] in POSIX_ONLY | others]:
        del sys.modules[module]
    sys.meta_path.insert(0, Absent(POSIX_ONLY | others))
    for owner, names in ((signal, _SIGNALS), (os, _NAMES)):
        for name in names:
            if hasattr(owner, name):
                delattr(owner, name)
    warnings.filterwarnings(
        "ignore", "only soft file lock is available"
    )  # Windows has a lock of its own, which nothing here stands for


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _is_installed(requirement: str) -> bool:
    try:
        metadata.distribution(re.match(r"[\w.-]+", requirement)[0])
    except metadata.PackageNotFoundError:
        return False
    return True


if __name__ == "__main__":
    border = sys.argv.index("--")
    install(sys.argv[1:border])
    import pytest

    sys.exit(pytest.main(sys.argv[border + 1 :]))
