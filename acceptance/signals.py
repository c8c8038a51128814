"""SIGINT, SIGTERM and SIGHUP end a session once, with teardown, verdict and report; a second one does not cut that short."""

from __future__ import annotations

import signal
import time
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_BURST_S = 1.0


class TerminationAsInterrupt:
    """Raises KeyboardInterrupt on termination signals while installed; `restore` puts the former handlers back."""

    def __init__(self) -> None:
        self._former: dict[signal.Signals, object] = {}
        self._ending = False
        self._last = -_BURST_S

    def install(self) -> None:
        """Take over the signals, except those that are ignored (nohup, background jobs); does nothing outside the main thread."""
        try:
            for number in _SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._former[number] = signal.signal(number, self._interrupt)
        except ValueError:
            self._former.clear()

    def hold(self) -> None:
        """The session ends: its job is stopped and its report printed in bounded time, so further signals change nothing."""
        self._ending = True

    def restore(self) -> None:
        """Put the former handlers back."""
        for number, handler in self._former.items():
            signal.signal(number, handler)
        self._former.clear()

    def _interrupt(self, number: int, _: FrameType | None) -> None:
        now = time.monotonic()
        # One request often comes twice (Ctrl-C and the parent's SIGTERM): the second must not hit the unwinding of the first.
        if self._ending or now - self._last < _BURST_S:
            return
        self._last = now
        raise KeyboardInterrupt(signal.Signals(number).name)
