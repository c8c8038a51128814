"""Gives signs of life for a session that a person started: `python -m acceptance.costs.watch LOG SESSION SECONDS MOST_HOURS`."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from acceptance.costs import tracker
from acceptance.costs.totals import OPEN
from acceptance.failure import HarnessError
from trainer.errors import TrainerError


def start(log: Path, session: str, *, every_s: int, most_hours: float) -> None:
    """Start a process that goes on after this one: until the session stops, its time is over, or the machine ends."""
    subprocess.Popen(
        [sys.executable, "-m", __name__, str(log.resolve()), session, str(every_s), str(most_hours)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
    )


def watch(log: Path, session: str, *, every_s: int, most_hours: float) -> None:
    """Signs of life until somebody stops the session; the log being gone ends it, too."""
    until = time.monotonic() + 3600 * most_hours
    while time.monotonic() < until:
        time.sleep(every_s)
        try:
            if not any(one.id == session and one.state == OPEN for one in tracker.read(log).sessions):
                return
            tracker.heartbeat(log, session)
        except (HarnessError, TrainerError, OSError):
            continue


if __name__ == "__main__":
    watch(Path(sys.argv[1]), sys.argv[2], every_s=int(sys.argv[3]), most_hours=float(sys.argv[4]))
