"""The record that a process run leaves on disk while it runs, so that the next start can end what a killed harness left."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from acceptance.runtimes.ownership import Liveness, liveness, start_time, stat_fields

RECORD_NAME = "process.json"
_SESSION = 3
_END_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessRecord:
    """A run's guard: its session (equal to its pid), when it started, and who owns it."""

    run_id: str
    owner: str
    session: int
    started: int

    def write(self, path: Path) -> None:
        """Write the record, whole or not at all."""
        new = path.with_name(path.name + ".new")
        new.write_text(json.dumps(asdict(self)), encoding="utf-8")
        new.replace(path)

    @classmethod
    def read(cls, path: Path) -> ProcessRecord | None:
        """The record, or None when it is unreadable or not one."""
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            record = cls(run_id=str(found["run_id"]), owner=str(found["owner"]), session=int(found["session"]), started=int(found["started"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return record if record.session > 1 else None

    def end_leftovers(self) -> bool:
        """Kill what is left of the run if its owner is dead; True when the owner is dead (whether or not something was left)."""
        if liveness(self.owner) is not Liveness.DEAD:
            return False
        give_up = time.monotonic() + _END_S
        while (left := self._members()) and time.monotonic() < give_up:
            for pid in left:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
        return True

    def _members(self) -> list[int]:
        """Live processes of the run: same session, started no earlier, and with its run id in their environment (pids are reused)."""
        marker = f"RUN_ID={self.run_id}".encode()
        found = []
        for name in os.listdir("/proc"):
            if not name.isdigit() or int(name) == os.getpid():
                continue
            fields, began = stat_fields(int(name)), start_time(int(name))
            if fields is None or began is None or began < self.started or int(fields[_SESSION]) != self.session:
                continue
            with contextlib.suppress(OSError):
                if marker in Path(f"/proc/{name}/environ").read_bytes().split(b"\0"):
                    found.append(int(name))
        return found
