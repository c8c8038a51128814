"""Phase markers: how far a run came, in a log that survives a kill and on stdout."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TextIO

from trainer.job.contract import Marker, run_line


class MarkerLog:
    """The marker log of one run; creating it truncates what an earlier run left."""

    def __init__(self, path: Path, *, run_id: str, stdout: TextIO) -> None:
        self._path = path
        self._stdout = stdout
        self._write(f"{run_line(run_id)}\n", os.O_TRUNC)

    def reach(self, marker: Marker) -> None:
        """Append `marker` (flushed and fsynced) and print it alone on a line."""
        self._write(f"{marker.value}\n", os.O_APPEND)
        self._stdout.write(f"{marker.value}\n")
        self._stdout.flush()

    def _write(self, line: str, mode: int) -> None:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | mode, 0o644)
        try:
            os.write(descriptor, line.encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
