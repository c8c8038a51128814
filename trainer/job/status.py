"""`train_status.json`: what a run is doing or did, as strict JSON that is replaced atomically."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from trainer.files import strict_json
from trainer.files.atomic_file import write_atomically

SCHEMA = "train_status/1"


class StatusFile:
    """The status of one run; fields given once stay, and `running` writes at most once per `interval_s`."""

    def __init__(self, path: Path, *, run_id: str, seed: int, threads: int, interval_s: float = 1.0) -> None:
        self._path = path
        self._interval_s = interval_s
        self._written = float("-inf")
        self._fields: dict[str, Any] = {
            "schema": SCHEMA,
            "run_id": run_id,
            "seed": seed,
            "threads": threads,
            "loss": None,
            "step": 0,
            "steps_total": None,
            "device": None,
            "audio_sha256": None,
            "manifest_sha256": None,
            "checkpoint_sha256": None,
            "content_sha256": None,
            "learning": None,
            "warnings": [],
        }

    def running(self, *, force: bool = False, **fields: Any) -> None:
        """Remember `fields`; write them when the last write is old enough or `force` is set."""
        self._fields.update(fields)
        if force or time.monotonic() - self._written >= self._interval_s:
            self._write("running")

    def completed(self, **fields: Any) -> None:
        """Write the final status of a good run."""
        self._fields.update(fields)
        self._write("completed")

    def failed(self, *, cause: str, message: str, **fields: Any) -> None:
        """Write the final status of a bad run; everything known so far stays in it."""
        self._fields.update(fields)
        self._write("failed", cause=cause, message=message)

    def _write(self, status: str, **extra: str) -> None:
        document = {
            "status": status,
            **self._fields,
            **extra,
            "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }
        write_atomically(self._path, strict_json.readable(document))
        self._written = time.monotonic()
