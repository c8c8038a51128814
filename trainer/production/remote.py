"""A shard spoken on a machine that shares no disk with the batch: the inputs come as bytes, and every take goes back as soon as it is made."""

from __future__ import annotations

import itertools
import platform
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trainer.errors import RuntimeSetupError
from trainer.files.atomic_file import write_atomically
from trainer.production import layout, plan, shard_folder, takes, version
from trainer.production.shard_folder import ShardFolder
from trainer.production.timing import Timing

if TYPE_CHECKING:
    from trainer.production.studio import Studio


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteTake:
    """One take: the line of its row, the bytes of its clip, and what it cost."""

    line: bytes
    clip: bytes | None
    timing: Timing


def inputs_of(batch: Path) -> dict[str, bytes]:
    """Everything that another machine needs of a batch, by file name; raises OSError."""
    return {name: (batch / name).read_bytes() for name in layout.INPUTS}


def speak(inputs: Mapping[str, bytes], index: int, kept: int, expected_version: str) -> Iterator[RemoteTake]:
    """The takes of shard `index` behind the first `kept` ones, as they are made.

    Raises RuntimeSetupError(version_differs) naming this machine, and as `shard.run`.
    """
    found = version.version()
    if found != expected_version:
        raise RuntimeSetupError(
            f"{platform.node()} has another version of the project ({version.differences(expected_version, found)}); install the same version on "
            "every machine of the cluster",
            cause="version_differs",
        )
    from trainer.production.studio import Studio

    with tempfile.TemporaryDirectory(prefix="voice-shard-") as place:
        batch = Path(place)
        for name, data in inputs.items():
            write_atomically(batch / name, data)
        folder = shard_folder.of(batch, plan.read(batch), index)
        started = time.monotonic()
        studio = Studio.open(batch, folder.plan)
        with shard_folder.failures_named(folder):
            yield from _takes(studio, folder, kept, started)


def _takes(studio: Studio, folder: ShardFolder, kept: int, started: float) -> Iterator[RemoteTake]:
    before: dict[str, float] = {}
    for take in itertools.islice(folder.tasks(), kept, None):
        row = studio.row(take, folder.clips)
        clip = None
        if row.file is not None:
            clip = (folder.clips / row.file).read_bytes()
            (folder.clips / row.file).unlink()  # the disk here need not hold a shard
        now = dict(studio.stages.cpu_s)
        cpu_s = {name: seconds - before.get(name, 0.0) for name, seconds in now.items()}
        ended = time.monotonic()
        yield RemoteTake(
            line=takes.dumps(row),
            clip=clip,
            timing=Timing(takes=1, audio_s=row.seconds, wall_s=ended - started, cpu_s=cpu_s),
        )
        before, started = now, time.monotonic()
