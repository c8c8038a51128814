"""Phase markers: how far a run came, in a log that survives a kill and on stdout."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import TextIO


class Marker(StrEnum):
    """Written in this order; the last one present says which phase a dead run was in."""

    # Every package could be imported.
    IMPORT_OK = "import_ok"
    # The speech detector's weights are loaded and the vocoder is built.
    MODEL_OK = "model_ok"
    # The recording became a manifest with train and held-out utterances, and what is learnt from was gathered from it.
    DATA_OK = "data_ok"
    # The first training step comes next.
    TRAIN_STARTED = "train_started"
    # Checkpoint and status are in place.
    SAVED = "saved"


class MarkerLog:
    """The marker log of one run; creating it truncates what an earlier run left."""

    def __init__(self, path: Path, *, run_id: str, stdout: TextIO) -> None:
        self._path = path
        self._stdout = stdout
        self._write(f"run_id {run_id}\n", os.O_TRUNC)

    def reach(self, marker: Marker) -> None:
        """Append `marker` (flushed and fsynced) and print it alone on a line."""
        self._write(f"{marker.value}\n", os.O_APPEND)
        self._stdout.write(f"{marker.value}\n")
        self._stdout.flush()

    def _write(self, line: str, mode: int) -> None:
        descriptor = os.open(
            self._path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | mode, 0o644
        )
        try:
            os.write(descriptor, line.encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
