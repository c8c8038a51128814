"""Speaks and judges one shard of a batch, and goes on where a killed one stopped: the same bytes however often that was."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from pathlib import Path

from trainer.production import plan, shard_folder, timing
from trainer.production.shard_folder import ShardDone, ShardFolder, failures_named
from trainer.production.studio import Studio
from trainer.production.timing import Timing


def run(batch: Path, index: int, *, on_take: Callable[[], None] | None = None, output: Path | None = None) -> ShardDone:
    """Make shard `index` of a batch whole, in its place there or in the folder `output`; a finished one is not touched.

    `on_take` is called for every take of an unfinished shard, those of an earlier start included. Raises TrainerError: DataError for a plan or a
    shard that does not hold, RuntimeSetupError for missing models or another version, TrainingError(disk_full | out_of_memory | shard_busy …).
    """
    tell = on_take or _nobody
    folder = shard_folder.of(batch, plan.read(batch), index, output)
    done = folder.done()
    if done is not None:
        return done
    with failures_named(folder), folder.held():
        return folder.done() or _speak(folder, tell)


def _speak(folder: ShardFolder, tell: Callable[[], None]) -> ShardDone:
    kept = folder.healed()
    for _ in range(kept):
        tell()
    if kept < folder.plan.takes_of(folder.index):
        started = time.monotonic()
        studio = Studio.open(folder.batch, folder.plan)
        spoken, audio_s = 0, 0.0
        try:
            for take in itertools.islice(folder.tasks(), kept, None):
                row = studio.row(take, folder.clips)
                folder.append(row)
                spoken, audio_s = spoken + 1, audio_s + row.seconds
                tell()
        finally:
            wall_s = time.monotonic() - started
            timing.add(folder.place, Timing(takes=spoken, audio_s=audio_s, wall_s=wall_s, cpu_s=studio.stages.cpu_s))
    return folder.finish()


def _nobody() -> None:
    """Nothing: nobody asked."""
