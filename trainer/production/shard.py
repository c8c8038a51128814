"""Speaks and judges one shard of a batch, and goes on where a killed one stopped: the same bytes however often that was."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from trainer.errors import TrainerError, TrainingError, memory_failure
from trainer.files import json_lines, plain_file, strict_json, typed_json
from trainer.files.atomic_file import write_atomically
from trainer.files.plain_file import PlainFileError
from trainer.production import layout, plan, shard_folder
from trainer.production.shard_folder import ShardDone, ShardFolder
from trainer.production.studio import Studio

TIMING_SCHEMA = "production_timing/1"
_MAX_BYTES = 2**16


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """What a shard has cost, over all its starts: takes made, their audio, seconds, and CPU-seconds by stage."""

    takes: int = 0
    audio_s: float = 0.0
    wall_s: float = 0.0
    cpu_s: Mapping[str, float] = field(default_factory=dict)

    def plus(self, other: Timing) -> Timing:
        """Both together."""
        names = [*self.cpu_s, *(name for name in other.cpu_s if name not in self.cpu_s)]
        return Timing(
            takes=self.takes + other.takes,
            audio_s=self.audio_s + other.audio_s,
            wall_s=self.wall_s + other.wall_s,
            cpu_s={name: self.cpu_s.get(name, 0.0) + other.cpu_s.get(name, 0.0) for name in names},
        )


def run(batch: Path, index: int, *, on_take: Callable[[], None] | None = None, output: Path | None = None) -> ShardDone:
    """Make shard `index` of a batch whole, in its place there or in the folder `output`; a finished one is not touched.

    `on_take` is called for every take that is in place, those of an earlier start included. Raises TrainerError: DataError for a plan or a
    shard that does not hold, RuntimeSetupError for missing models or another version, TrainingError(disk_full | out_of_memory | shard_busy …).
    """
    tell = on_take or _nobody
    folder = shard_folder.of(batch, plan.read(batch), index, output)
    done = folder.done()
    if done is not None:
        return done
    with _named(folder), folder.held():
        return folder.done() or _speak(folder, tell)


@contextmanager
def _named(folder: ShardFolder) -> Iterator[None]:
    """Whatever ends the shard names it."""
    name = f"shard {folder.index} of {folder.plan.shards}"
    try:
        yield
    except TrainerError as error:
        if name in str(error):
            raise
        raise type(error)(f"{name}: {error}", cause=error.cause) from error
    except Exception as error:
        memory = memory_failure(error)
        if memory is None:
            raise
        raise TrainingError(
            f"{name}: {memory}; use fewer processes, or give them more memory", cause=memory.cause
        ) from error


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
            add_timing(folder, Timing(takes=spoken, audio_s=audio_s, wall_s=wall_s, cpu_s=studio.stages.cpu_s))
    return folder.finish()


def timing_of(place: Path) -> Timing:
    """What the shard in a folder has cost so far; nothing if it does not say."""
    try:
        document = strict_json.loads(plain_file.read(place / layout.TIMING, limit=_MAX_BYTES))
        if not isinstance(document, dict) or document.pop("schema", None) != TIMING_SCHEMA:
            return Timing()
        timing: Timing = typed_json.build(Timing, document)
    except (PlainFileError, ValueError):
        return Timing()
    return timing


def add_timing(folder: ShardFolder, timing: Timing) -> None:
    """Add to a shard's timing.json; a disk that refuses it does not hide why the shard ended."""
    total = timing_of(folder.place).plus(timing)
    document = {
        "schema": TIMING_SCHEMA,
        "takes": total.takes,
        "audio_s": round(total.audio_s, 3),
        "wall_s": round(total.wall_s, 3),
        "cpu_s": {name: round(seconds, 3) for name, seconds in total.cpu_s.items()},
    }
    try:
        write_atomically(folder.place / layout.TIMING, json_lines.line(document))
    except TrainerError:
        return


def _nobody() -> None:
    """Nothing: nobody asked."""
