"""The folder of one shard while it is made: rows that only ever follow clips, so that a killed writer loses at most the take it was at."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from trainer.errors import DataError, TrainerError, TrainingError, memory_failure
from trainer.files import json_lines, output_file, plain_file, typed_json
from trainer.files.atomic_file import sweep, sync_directory, unwritable, write_atomically
from trainer.files.plain_file import PlainFileError
from trainer.production import layout, takes
from trainer.production.plan import Plan
from trainer.production.takes import Take, TakeRow

SCHEMA = "production_shard/1"
_MAX_DONE = 2**16
_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardDone:
    """What `done.json` says of a whole shard."""

    plan_sha256: str
    shard: int
    shards: int
    rows: int
    takes_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardFolder:
    """Shard `index` of a batch, in `place`."""

    batch: Path
    plan: Plan
    index: int
    place: Path

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"shard {self.index} of {self.plan.shards} ({self.place})"

    @property
    def clips(self) -> Path:
        """Where the clips lie."""
        return self.place / layout.CLIPS

    def tasks(self) -> Iterator[Take]:
        """Every take that the plan wants of it, in order."""
        return takes.of_shard(self.batch, self.plan, self.index)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keep every other writer out; raises TrainingError(shard_busy | disk_full | output_not_writable), DataError(output_exists) for a link."""
        for folder in (self.batch / layout.SHARDS, self.place, self.clips):
            output_file.refuse_link(folder)
        try:
            self.clips.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.place / ".lock", timeout=0)
            lock.acquire()
        except Timeout as error:
            raise TrainingError(
                f"{self.name}: another process is at work on it; wait for its end", cause="shard_busy"
            ) from error
        except OSError as error:
            raise unwritable(self.place, error) from error
        try:
            yield
        finally:
            lock.release()

    def done(self) -> ShardDone | None:
        """What its done.json says, if it has one; raises DataError(shard_invalid | shard_of_another_plan)."""
        path = self.place / layout.DONE
        try:
            done = read_done(path)
        except PlainFileError as error:
            if error.cause in ("missing", "no_directory"):
                return None
            raise self.invalid(f"{path.name} {error}") from error
        except ValueError as error:
            raise self.invalid(f"{path.name}: {error}") from error
        if done.plan_sha256 != self.plan.sha256:
            raise DataError(
                f"{self.name}: made by another plan ({done.plan_sha256[:12]}, not {self.plan.sha256[:12]}); remove it and run again, or give the "
                "folder of that batch",
                cause="shard_of_another_plan",
            )
        if (done.shard, done.shards) != (self.index, self.plan.shards):
            raise self.invalid(f"it holds shard {done.shard} of {done.shards}", cause="shard_doubled")
        return done

    def healed(self) -> int:
        """How many takes are in place. What a killed writer left behind them is cut off; raises DataError and TrainingError."""
        sweep(self.place)
        sweep(self.clips)
        path = self.place / layout.TAKES
        kept, end = 0, 0
        try:
            with plain_file.opened(path) as stream:
                for take, line in zip(self.tasks(), json_lines.lines(stream), strict=False):
                    if not self._in_place(take, line):
                        break
                    kept, end = kept + 1, end + len(line)
                size = os.fstat(stream.fileno()).st_size
            if size > end:
                os.truncate(path, end)
        except PlainFileError as error:
            if error.cause != "missing":
                raise self.invalid(f"{path.name} {error}") from error
        except ValueError as error:
            raise self.invalid(f"{path.name}: {error}") from error
        except OSError as error:
            raise unwritable(path, error) from error
        return kept

    def _in_place(self, take: Take, line: bytes) -> bool:
        try:
            row = takes.loads(line)
            return takes.is_of(row, take) and (
                row.file is None or plain_file.sha256(self.clips / row.file) == row.sha256
            )
        except (ValueError, PlainFileError):
            return False

    def append(self, row: TakeRow) -> None:
        """Add the row of the next take, whose clip is in place; when this returns it is on the disk."""
        path = self.place / layout.TAKES
        try:
            descriptor = os.open(path, _APPEND, 0o666)
            try:
                left = memoryview(takes.dumps(row))
                while left:
                    left = left[os.write(descriptor, left) :]
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise unwritable(path, error) from error

    def finish(self) -> ShardDone:
        """Write done.json, last of all."""
        path = self.place / layout.TAKES
        try:
            sync_directory(self.clips)
            sync_directory(self.place)
            digest = plain_file.sha256(path)
        except OSError as error:
            raise unwritable(path, error) from error
        done = ShardDone(
            plan_sha256=self.plan.sha256,
            shard=self.index,
            shards=self.plan.shards,
            rows=self.plan.takes_of(self.index),
            takes_sha256=digest,
        )
        write_atomically(self.place / layout.DONE, json_lines.line({"schema": SCHEMA, **asdict(done)}))
        return done

    def invalid(self, problem: str, *, cause: str = "shard_invalid") -> DataError:
        """The error for a shard that is not whole."""
        return DataError(
            f"{self.name}: {problem}; remove this folder and run the batch again with --resume", cause=cause
        )


def of(batch: Path, plan: Plan, index: int, place: Path | None = None) -> ShardFolder:
    """Shard `index` of a batch, in its own place or in another one; raises DataError(plan_invalid)."""
    if not 1 <= index <= plan.shards:
        raise DataError(f"{batch}: there is no shard {index}; the plan has 1 to {plan.shards}", cause="plan_invalid")
    return ShardFolder(
        batch=batch, plan=plan, index=index, place=place or layout.shard_folder(batch, index, plan.shards)
    )


def read_done(path: Path) -> ShardDone:
    """What a done.json says; raises PlainFileError and ValueError."""
    document: Any = json_lines.parsed(plain_file.read(path, limit=_MAX_DONE))
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise ValueError(f"schema is not {SCHEMA!r}")
    done: ShardDone = typed_json.build(ShardDone, {name: value for name, value in document.items() if name != "schema"})
    return done


@contextlib.contextmanager
def failures_named(folder: ShardFolder) -> Iterator[None]:
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
