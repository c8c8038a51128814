"""What a batch has cost: seconds, CPU-seconds by stage, clips a minute. It differs from run to run, so it lies in a file of its own."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock

from acceptance.costs import machine, money
from acceptance.policy.sections import CostPolicy
from trainer.errors import TrainerError
from trainer.files import plain_file, strict_json
from trainer.files.atomic_file import unwritable, write_atomically
from trainer.files.plain_file import PlainFileError
from trainer.production import layout, timing
from trainer.production.plan import Plan
from trainer.production.timing import Timing

SCHEMA = "production_batch_timing/1"
LOCAL = "local"
"""How the name of the engine begins that uses this machine alone."""
ELSEWHERE = "other machines"
"""Stands among the engines of a batch whose shards were merged: its time is the sum over its shards."""
_MAX_BYTES = 2**20
_LOCK = ".timing.lock"
Interval = tuple[float, float]
"""From and to, in seconds since 1970, while a command was at work on the batch."""


@contextlib.contextmanager
def measured(batch: Path, engine: str) -> Iterator[None]:
    """Add the time inside to that of the batch, also if it ends in an error; what another command has added of the same time counts once."""
    began, start = time.time(), time.monotonic()

    def inside() -> Interval:
        return began, began + time.monotonic() - start

    try:
        yield
    except BaseException:
        with contextlib.suppress(TrainerError):  # a full disk must not hide why the batch ended
            _add(batch, engine, [inside()])
        raise
    _add(batch, engine, [inside()])


def shared(batch: Path) -> None:
    """Write down that other machines made shards of a batch: the time that passed here says nothing of theirs."""
    _add(batch, ELSEWHERE, [])


def _add(batch: Path, engine: str, intervals: Sequence[Interval]) -> None:
    with _held(batch):
        before = read(batch)
        known = _intervals(before)
        together = _union([*known, *intervals])
        wall_s = float(before.get("wall_s", 0.0)) + _length(together) - _length(known)
        document = {
            "schema": SCHEMA,
            "wall_s": round(wall_s, 3),
            "engines": sorted({*before.get("engines", ()), engine}),
            "intervals": [[round(start, 3), round(end, 3)] for start, end in together],
        }
        write_atomically(batch / layout.TIMING, strict_json.readable(document))


@contextlib.contextmanager
def _held(batch: Path) -> Iterator[None]:
    """Keep other commands from the file; raises TrainingError."""
    try:
        with FileLock(batch / _LOCK):
            yield
    except OSError as error:
        raise unwritable(batch / _LOCK, error) from error


def _intervals(known: Mapping[str, Any]) -> list[Interval]:
    return [(float(start), float(end)) for start, end in known.get("intervals", ())]


def _union(intervals: Iterable[Interval]) -> list[Interval]:
    """The same time without overlaps, oldest first."""
    found: list[Interval] = []
    for start, end in sorted(intervals):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def _length(intervals: Iterable[Interval]) -> float:
    return sum(end - start for start, end in intervals)


def read(batch: Path) -> dict[str, Any]:
    """What the file says; nothing if it is not there or does not hold."""
    try:
        found = strict_json.loads(plain_file.read(batch / layout.TIMING, limit=_MAX_BYTES))
        if not isinstance(found, dict) or found.get("schema") != SCHEMA:
            return {}
        _intervals(found)
    except (PlainFileError, ValueError, TypeError):
        return {}
    return found


def write(batch: Path, plan: Plan, prices: CostPolicy, *, approved: int) -> dict[str, Any]:
    """Write the whole of it, with what the shards say of themselves; returns it. `approved` takes share the cost."""
    total = Timing()
    for index in range(1, plan.shards + 1):
        total = total.plus(timing.of(layout.shard_folder(batch, index, plan.shards)))
    with _held(batch):
        return _written(batch, total, prices, approved)


def _written(batch: Path, total: Timing, prices: CostPolicy, approved: int) -> dict[str, Any]:
    known = read(batch)
    here_s = 0.0 if ELSEWHERE in known.get("engines", ()) else float(known.get("wall_s", 0.0))
    wall_s = here_s or total.wall_s
    found = {
        "schema": SCHEMA,
        "wall_s": round(wall_s, 3),
        "engines": known.get("engines", []),
        "intervals": known.get("intervals", []),
        "takes": total.takes,
        "audio_s": round(total.audio_s, 3),
        "cpu_s": {name: round(seconds, 3) for name, seconds in sorted(total.cpu_s.items())},
        "clips_per_minute": round(60.0 * total.takes / wall_s, 2) if wall_s else None,
        "real_time_factor": round(wall_s / total.audio_s, 4) if total.audio_s else None,
        "cost": _cost(known, prices, wall_s, approved),
    }
    write_atomically(batch / layout.TIMING, strict_json.readable(found))
    return found


def _cost(known: Mapping[str, Any], prices: CostPolicy, wall_s: float, approved: int) -> dict[str, Any] | None:
    """This machine's time at its price, in millionths of the currency; None where other machines helped: theirs is not known."""
    engines = known.get("engines", ())
    if not engines or not all(str(engine).startswith(LOCAL) for engine in engines):
        return None
    rate = machine.about("production", prices).rate
    total = money.price(round(1000 * wall_s), rate)
    return {
        "currency": prices.currency,
        "rate_per_hour": rate,
        "total": total,
        "per_approved_utterance": round(total / approved) if approved else None,
    }
