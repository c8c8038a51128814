"""SIGTERM and SIGHUP end a session the way Ctrl-C does: with teardown, verdict and report."""

from __future__ import annotations

import signal
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


class TerminationAsInterrupt:
    """Raises KeyboardInterrupt on termination signals while installed; `restore` puts the former handlers back."""

    def __init__(self) -> None:
        self._former: dict[signal.Signals, object] = {}

    def install(self) -> None:
        """Take over the signals; does nothing outside the main thread, where Python allows no handlers."""
        try:
            for number in _SIGNALS:
                self._former[number] = signal.signal(number, _interrupt)
        except ValueError:
            self._former.clear()

    def restore(self) -> None:
        """Put the former handlers back."""
        for number, handler in self._former.items():
            signal.signal(number, handler)
        self._former.clear()


def _interrupt(number: int, _: FrameType | None) -> None:
    raise KeyboardInterrupt(signal.Signals(number).name)
