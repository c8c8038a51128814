"""Whether a finished shard is whole: its rows are those of the plan, in order, and every clip is the one that was judged."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from trainer.files import json_lines, plain_file
from trainer.files.plain_file import PlainFileError
from trainer.production import layout, plan, shard_folder, takes
from trainer.production.plan import Plan
from trainer.production.shard_folder import ShardDone, ShardFolder
from trainer.production.takes import TakeRow


def check(batch: Path, index: int, *, clips: bool = True) -> ShardDone:
    """What a shard's done.json says, proven; without `clips` the clips are not read.

    Raises DataError naming the shard: shard_missing, shard_invalid, shard_doubled, shard_of_another_plan.
    """
    return check_folder(shard_folder.of(batch, plan.read(batch), index), clips=clips)


def check_folder(folder: ShardFolder, *, clips: bool = True) -> ShardDone:
    """As `check`, for a shard in any place."""
    done = _done(folder)
    names: set[str] = set()
    for row in rows(folder, done):
        if row.file is not None:
            names.add(row.file)
            if clips:
                _check_clip(folder, row)
    there = (
        {path.name for path in folder.clips.iterdir() if not path.name.startswith(".")}
        if folder.clips.is_dir()
        else set()
    )
    strange = sorted(there - names)
    if strange:
        raise folder.invalid(f"{layout.CLIPS}/{strange[0]} is not a clip of any take of it")
    return done


def rows_of(batch: Path, found: Plan) -> Iterator[TakeRow]:
    """The rows of all shards in the order of the prompts; raises DataError naming the shard that is not whole. The clips are not read."""
    for index in range(1, found.shards + 1):
        folder = shard_folder.of(batch, found, index)
        yield from rows(folder, _done(folder))


def rows(folder: ShardFolder, done: ShardDone) -> Iterator[TakeRow]:
    """The rows of a finished shard, compared with its plan and its done.json; raises DataError(shard_invalid)."""
    digest, count = hashlib.sha256(), 0
    tasks = folder.tasks()
    try:
        with plain_file.opened(folder.place / layout.TAKES) as stream:
            for line in json_lines.lines(stream):
                digest.update(line)
                count += 1
                row, take = takes.loads(line), next(tasks, None)
                if take is None or not takes.is_of(row, take):
                    raise ValueError(f"line {count} is not of the take that the plan has there")
                yield row
    except (PlainFileError, ValueError) as error:
        raise folder.invalid(f"{layout.TAKES}: {error}") from error
    if next(tasks, None) is not None or count != done.rows:
        raise folder.invalid(f"{layout.TAKES} has {count} of {folder.plan.takes_of(folder.index)} takes")
    if digest.hexdigest() != done.takes_sha256:
        raise folder.invalid(f"{layout.TAKES} is not what {layout.DONE} was written for")


def _done(folder: ShardFolder) -> ShardDone:
    done = folder.done()
    if done is None:
        raise folder.invalid("it is not finished", cause="shard_missing")
    return done


def _check_clip(folder: ShardFolder, row: TakeRow) -> None:
    name = f"{layout.CLIPS}/{row.file}"
    try:
        found = plain_file.sha256(folder.place / name)
    except PlainFileError as error:
        raise folder.invalid(f"{name} {error}") from error
    if found != row.sha256:
        raise folder.invalid(
            f"{name} is not the clip that was judged (sha256 {found[:12]}, not {str(row.sha256)[:12]})"
        )
