"""The container's entry for one shard of a production: `python -m trainer shard BATCH INDEX`, with progress lines and the job's exit statuses."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from trainer.errors import RuntimeSetupError, import_failures
from trainer.job.contract import Marker
from trainer.job.run import Console, StopSignal, classify
from trainer.production import plan

_INTERVAL_S = 5.0
_USAGE = "python -m trainer shard BATCH INDEX"


def run_shard(arguments: Sequence[str], stdout: TextIO) -> int:
    """Speak and judge the shard that the arguments name; returns 0, 10, 20 or 30 and never raises for what can go wrong on a machine.

    SIGTERM and Ctrl-C end it between two moments that do not matter: the next start goes on where it stopped.
    """
    console = Console(stdout)
    stop = StopSignal()
    try:
        batch, index = _named(arguments)
        stop.install()
        found = plan.read(batch)
        with import_failures():
            from trainer.production import shard
        lines = _Lines(console=console, name=f"{index}/{found.shards}", total=found.takes_of(index))
        done = shard.run(batch, index, on_take=lines.take)
        console.line(f"SHARD {index}/{found.shards} done: {done.rows} takes")
        return 0
    # The boundary: whatever happened becomes a cause and an exit status.
    except BaseException as error:
        return console.failure(classify(error, phase=Marker.TRAIN_STARTED))


def _named(arguments: Sequence[str]) -> tuple[Path, int]:
    if len(arguments) != 2 or not arguments[1].isascii() or not arguments[1].isdigit():
        raise RuntimeSetupError(
            f"give the batch's folder and the number of a shard: {_USAGE}", cause="settings_invalid"
        )
    return Path(arguments[0]), int(arguments[1])


@dataclass(slots=True, kw_only=True)
class _Lines:
    """A line of progress every few seconds, and one at the end."""

    console: Console
    name: str
    total: int
    takes: int = 0
    last: float = float("-inf")

    def take(self) -> None:
        """One more take is in place."""
        self.takes += 1
        if self.takes == self.total or time.monotonic() - self.last >= _INTERVAL_S:
            self.last = time.monotonic()
            self.console.line(f"SHARD {self.name} {self.takes} of {self.total} takes")
