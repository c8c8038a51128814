"""SIGINT, SIGTERM and SIGHUP end a session once, with teardown, verdict and report; a second one does not cut that short.

Python loses a KeyboardInterrupt that is raised inside a finaliser, a weakref callback or a library that catches everything. So a signal also
leaves a flag, and whoever begins something long calls `raise_if_interrupted`.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest

_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGINT") if hasattr(signal, name)
)  # Windows has no SIGHUP
_BURST_S = 1.0
_installed: TerminationAsInterrupt | None = None


class TerminationAsInterrupt:
    """Raises KeyboardInterrupt on termination signals while installed; `restore` puts the former handlers back."""

    def __init__(self) -> None:
        self.requested: signal.Signals | None = None
        """The first signal that asked for the end, also where its KeyboardInterrupt was lost."""
        self._former: dict[signal.Signals, Any] = {}
        self._outer: TerminationAsInterrupt | None = None
        self._ending = False
        self._held = 0
        self._exit_status: int | None = None
        self._last = -_BURST_S

    def install(self, *, holding: bool = False) -> None:
        """Take over the signals, except those that are ignored (nohup, background jobs); does nothing outside the main thread.

        `holding`: keep them back until `listen`. An interrupt of Python's import system can leave a lock behind that nobody opens.
        """
        global _installed
        self._held, self._outer = int(holding), _installed
        try:
            for number in _SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._former[number] = signal.signal(number, self._interrupt)
        except ValueError:
            self._former.clear()
        else:
            _installed = self

    def listen(self) -> None:
        """Let signals interrupt from now on, also one that was kept back."""
        self._held = 0
        self.check()

    def check(self) -> None:
        """Raise the KeyboardInterrupt of a signal that came, unless the session ends already."""
        if self.requested is not None and not self._ending and not self._held:
            self._last = time.monotonic()
            raise KeyboardInterrupt(self.requested.name)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keep signals back until the block is done; the first one that came meanwhile is raised then."""
        before = self.requested
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
            if self.requested is not before:
                self.check()

    def hold(self) -> None:
        """The session ends: its job is stopped and its report printed in bounded time, so further signals change nothing."""
        self._ending = True

    def restore(self) -> None:
        """Put the former handlers back."""
        global _installed
        _forget_interrupted_eval()
        _installed = self._outer
        for number, handler in self._former.items():
            signal.signal(number, handler)
        self._former.clear()

    def give_back(self) -> None:
        """Restore, and let the former handlers have a signal that was kept back."""
        kept_back, self._held = self._held, 0
        self.restore()
        if kept_back and self.requested is not None:
            signal.raise_signal(self.requested)

    @property
    def installed(self) -> bool:
        """Whether signals come here."""
        return bool(self._former)

    def over(self, exit_status: int) -> None:
        """The report is printed: from here a signal ends the process at once, with the session's own exit status.

        Where pytest runs inside another program the former handlers return instead.
        """
        _forget_interrupted_eval()
        if not is_pytests_own_process():
            self.restore()
        else:
            self._ending, self._exit_status = True, exit_status
            atexit.register(_ignore_all)  # Python gives its signals back before it has ended

    def _interrupt(self, number: int, _: FrameType | None) -> None:
        if self._ending:
            if self._exit_status is not None:
                os._exit(self._exit_status)
            return
        self.requested = self.requested or signal.Signals(number)
        now = time.monotonic()
        # One request often comes twice (Ctrl-C and the parent's SIGTERM): the second must not hit the unwinding of the first.
        if self._held or now - self._last < _BURST_S:
            return
        self._last = now
        raise KeyboardInterrupt(signal.Signals(number).name)


def _forget_interrupted_eval() -> None:
    """Python ends itself by SIGINT after an interrupt inside an `eval`, even a handled one; the next `eval` of a text takes that back."""
    eval("None")  # named tuples, too, are made by one


def raise_if_interrupted() -> None:
    """Raise KeyboardInterrupt if a signal asked for the session's end and nothing came of it; a no-op without a session."""
    if _installed is not None and threading.current_thread() is threading.main_thread():
        _installed.check()


def make_printable(excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """Take out of an interrupt's traceback what pytest cannot print.

    A signal may come between two lines of Python. Then the traceback has a frame without a line, and pytest ends in a TypeError over it.
    """
    try:
        excinfo.getrepr(funcargs=True)
    except Exception:  # whatever it is, it must not take the place of the interrupt
        excinfo.value.__context__ = excinfo.value.__cause__ = None
        excinfo.traceback = excinfo.traceback.filter(_has_line)


def _has_line(entry: Any) -> bool:
    """Whether an entry of pytest's traceback knows its line."""
    try:
        return bool(entry.lineno >= 0)
    except TypeError:
        return False


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold back signals that end a session until the block is done, so that a second Ctrl-C cannot leave a container behind.

    What arrived meanwhile is delivered afterwards. A no-op off the main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
    elif _installed is not None:
        with _installed.held():
            yield
    else:
        with _without_session():
            yield


@contextlib.contextmanager
def _without_session() -> Iterator[None]:
    arrived: list[int] = []
    before = {number: signal.signal(number, lambda caught, _: arrived.append(caught)) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler is not None:
                signal.signal(number, handler)
        for number in dict.fromkeys(arrived):
            signal.raise_signal(number)


def is_pytests_own_process() -> bool:
    """Whether the program is pytest's command line, which ends with the session: who else calls `pytest.main` goes on after it."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if frame.f_globals.get("__name__") == "_pytest.config" and frame.f_code.co_name in (
            "_console_main",
            "console_main",
        ):
            return True
        frame = frame.f_back
    return False


def _ignore_all() -> None:
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
