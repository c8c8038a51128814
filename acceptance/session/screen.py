"""Writing to the person in front of pytest: past capture, with or without a terminal reporter, on a terminal or into a log."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import TextIO

import pytest


class Screen:
    """Prints lines outside of pytest's capture; either plugin (capture, terminal reporter) may be missing."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @contextlib.contextmanager
    def uncaptured(self) -> Iterator[TextIO | None]:
        """The real standard output, while capture is off; None where the session was started without one."""
        capture = self._config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled() if capture is not None else contextlib.nullcontext():
            yield sys.stdout

    @contextlib.contextmanager
    def terminal(self) -> Iterator[TextIO | None]:
        """The real standard output on a line of its own when it is a terminal, else None; capture stays off inside."""
        with self.uncaptured() as out:
            self._start_line()
            yield out if out is not None and out.isatty() else None

    def line(self, text: str) -> None:
        """Print one line at once."""
        with self.uncaptured() as out:
            self._start_line()
            if out is None:
                return
            encoding = out.encoding or "utf-8"
            out.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
            out.flush()

    def _start_line(self) -> None:
        """End the line of progress dots, if pytest is in the middle of one."""
        if self._config.pluginmanager.hasplugin("terminalreporter"):
            writer = self._config.get_terminal_writer()
            if writer.width_of_current_line:
                writer.line()
            writer.flush()
