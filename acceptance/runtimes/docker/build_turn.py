"""Builds of one image take turns: the first one builds, and the others find its layers made."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from acceptance.runtimes.signals import raise_if_interrupted

_POLL_S = 0.5


@contextlib.contextmanager
def one_at_a_time(tag: str, patience_s: float, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the turn of this user's builds of `tag` on this machine.

    It saves work and decides nothing: a container runs by its image's id. So who cannot lock, or has waited for `patience_s`, goes on without.
    """
    with contextlib.ExitStack() as held:
        with contextlib.suppress(OSError, Timeout):
            held.enter_context(_taken(_lock_of(tag), patience_s, lambda: say(f"waiting for another build of {tag}")))
        yield


def _lock_of(tag: str) -> FileLock:
    """Its file lies in a folder of this user; raises OSError if that is somebody else's."""
    folder = Path(tempfile.gettempdir()) / f"voice-acceptance-builds-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if found.st_uid != os.getuid() or not folder.is_dir() or folder.is_symlink():
        raise PermissionError(f"{folder} is not a folder of this user")
    return FileLock(folder / f"{hashlib.sha256(tag.encode()).hexdigest()[:32]}.lock")


@contextlib.contextmanager
def _taken(lock: FileLock, patience_s: float, waits: Callable[[], None]) -> Iterator[None]:
    give_up, said = time.monotonic() + patience_s, False
    while True:
        raise_if_interrupted()
        try:
            lock.acquire(timeout=_POLL_S if said else 0.0)
            break
        except Timeout:
            if time.monotonic() > give_up:
                raise
            if not said:
                waits()
            said = True
    try:
        yield
    finally:
        lock.release()
