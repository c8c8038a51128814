"""The record that a process run leaves on disk while it runs, so that the next start can end what a killed harness left."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from acceptance.runtimes.ownership import Liveness, liveness, start_time

RECORD_NAME = "process.json"
MARK_VARIABLE = "ACCEPTANCE_PROCESS_MARK"
"""Environment variable that every process of a run inherits; pids and sessions are reused, a random mark is not."""
HOME_PREFIX = "voice-acceptance-"
_END_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessRecord:
    """A run, who owns it, the mark in the environment of its processes, and the temporary home that they were given."""

    run_id: str
    owner: str
    mark: str
    home: str

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
            record = cls(**{name: str(found[name]) for name in ("run_id", "owner", "mark", "home")})
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return record if record.mark else None

    def end_leftovers(self, *, abandoned: bool = False) -> bool:
        """Kill what is left of the run, and remove its home, if its owner is dead (`abandoned` as in `liveness`); True when nothing is left."""
        return liveness(self.owner, abandoned=abandoned) is Liveness.DEAD and self.end()

    def end(self) -> bool:
        """Kill what is left of the run, and remove its home; True when nothing is left."""
        if not self.end_members():
            return False
        home = Path(self.home)
        if home.name.startswith(HOME_PREFIX) and home.parent == Path(tempfile.gettempdir()):
            shutil.rmtree(home, ignore_errors=True)
        return True

    def end_members(self) -> bool:
        """Kill every process of the run, wherever it hides from its guard; False when some do not end within 5 s."""
        give_up = time.monotonic() + _END_S
        while left := self._members():
            if time.monotonic() > give_up:
                return False
            for pid in left:
                with contextlib.suppress(OSError):  # it ended meanwhile, or is not ours to kill and counts as left
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
        return True

    def _members(self) -> list[int]:
        """Live processes that carry the run's mark."""
        mark, found = f"{MARK_VARIABLE}={self.mark}".encode(), []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                with contextlib.suppress(OSError):
                    if (
                        mark in (entry / "environ").read_bytes().split(b"\0")
                        and start_time(int(entry.name)) is not None
                    ):
                        found.append(int(entry.name))
        return found
