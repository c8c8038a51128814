"""Standard output and error that cannot hurt the run: a reader that goes away, a full disk or a closed descriptor costs text, never the job.

pytest, its plugins and this harness hold the same stream objects and write at any time. So the objects themselves are guarded: `write` and
`flush` of the instance are replaced while a session runs. A reader that does not read is waited for `PATIENCE_S`, once.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
from collections.abc import Callable
from typing import TextIO

PATIENCE_S = 5.0
_PIECE_CHARS = 1000
"""At most 4000 bytes: a pipe that is ready takes that much (PIPE_BUF) without blocking."""


class GuardedStream:
    """Takes over `write` and `flush` of a text stream; `lost` says that text did not arrive."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.lost = False
        self._stalled = False
        self._write: Callable[[str], int] = stream.write
        self._flush: Callable[[], None] = stream.flush
        stream.write, stream.flush = self.write, self.flush  # type: ignore[method-assign]  # the stream stays the object that others hold

    def write(self, text: str) -> int:
        """Write what can be written; the length of all of it."""
        for start in range(0, len(text), _PIECE_CHARS):
            if not self._is_ready():
                self.lost = True
                break
            self._guarded(self._write, text[start : start + _PIECE_CHARS])
            if len(text) > _PIECE_CHARS:
                self.flush()
        return len(text)

    def flush(self) -> None:
        """Flush; what cannot be flushed is thrown away, so that nothing later fails for it."""
        if self._is_ready():
            self._guarded(self._flush)
        else:
            self.lost = True

    def release(self) -> None:
        """Give the stream its own methods back."""
        for name in ("write", "flush"):
            with contextlib.suppress(AttributeError):
                delattr(self.stream, name)

    def _guarded(self, call: Callable[..., object], *arguments: object) -> None:
        try:
            call(*arguments)
        except (OSError, ValueError):
            self.lost = True
            self._drop_buffer()

    def _drop_buffer(self) -> None:
        """Empty the stream's buffer into nowhere: else every later flush, and Python's last one, fails again."""
        try:
            descriptor, kept = self.stream.fileno(), os.dup(self.stream.fileno())
        except (OSError, ValueError):
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, descriptor)
            with contextlib.suppress(OSError, ValueError):
                self._flush()
        finally:
            os.dup2(kept, descriptor)
            os.close(kept)
            os.close(nowhere)

    def _is_ready(self) -> bool:
        """Whether a write would not block; waits for a reader that stopped reading, but only until it was waited for in vain."""
        try:
            poll = select.poll()
            poll.register(self.stream.fileno(), select.POLLOUT)
            ready = bool(poll.poll(0)) or bool(not self._stalled and poll.poll(PATIENCE_S * 1000))
        except (OSError, ValueError, AttributeError):  # no descriptor of the system's: nothing to wait for
            return True
        self._stalled = not ready
        return ready


class StandardStreams:
    """Guards the process's standard output and error for one session."""

    def __init__(self) -> None:
        self._guards: list[GuardedStream] = []
        self._absent: list[TextIO] = []

    def guard(self) -> None:
        """Begin; a descriptor that is closed is opened on nothing, or the next file opened would be printed into."""
        for descriptor in range(3):
            _occupy(descriptor)
        for name in ("stdout", "stderr"):
            if getattr(sys, name) is None:
                self._absent.append(_nowhere())
                setattr(sys, name, self._absent[-1])
                continue
            with contextlib.suppress(AttributeError):  # an object that takes no attributes
                self._guards.append(GuardedStream(getattr(sys, name)))

    def lost(self, stream: TextIO | None) -> bool:
        """Whether text written to `stream` did not arrive."""
        return (
            stream is None
            or stream in self._absent
            or any(guard.stream is stream and guard.lost for guard in self._guards)
        )

    def end(self, *, release: bool) -> None:
        """The session is over: `release` the streams where the process goes on, else let its last flush find something to flush."""
        if release:
            for guard in self._guards:
                guard.release()
            self._guards.clear()
            return
        for name in ("stdout", "stderr"):
            if getattr(sys, name) is None:
                setattr(sys, name, _nowhere())


def _occupy(descriptor: int) -> None:
    try:
        os.fstat(descriptor)
    except OSError:
        opened = os.open(os.devnull, os.O_RDWR)
        if opened != descriptor:
            os.dup2(opened, descriptor)
            os.close(opened)


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")
