"""Does the same work on many items in several processes; their number changes nothing in the results."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any, TypeVar

from trainer.errors import TrainerError, TrainingError, lost_process

Item = TypeVar("Item")
Found = TypeVar("Found")

_TICK_S = 0.2
"""So often it is looked how far the processes are."""
_STOPPING_S = 5.0
"""So long a broken pool is waited for, to see how its processes ended."""
_ticks: ctypes.c_long | None = None
"""In a process of `as_done`: the steps that it has done."""


def each(
    work: Callable[[Item], Found],
    items: Sequence[Item],
    *,
    processes: int = 1,
    on_progress: Callable[[], None] | None = None,
    name: Callable[[Item], str] | None = None,
) -> list[Found]:
    """`work` on every item, in their order; with several processes it and the items have to be picklable.

    Raises what `work` raises, and as `pool` if a process was lost. With `name` the error says how far the work was.
    """
    found: list[Found] = []
    if processes <= 1 or len(items) <= 1:
        _collect(map(work, items), found, on_progress)
        return found
    processes = min(processes, len(items))
    with pool(processes) as executor:
        try:
            _collect(executor.map(work, items), found, on_progress)
        except BrokenProcessPool as error:
            place = f" at {name(items[len(found)])} or a later one" if name else ""
            raise executor.lost(error, place) from error
    return found


def as_done(
    work: Callable[[Item], object],
    items: Sequence[Item],
    *,
    processes: int,
    name: Callable[[Item], str],
    on_done: Callable[[Item], None] | None = None,
    on_progress: Callable[[], None] | None = None,
) -> None:
    """`work` on every item, the first ones first; `on_done` gets each item as it is done, `on_progress` is called for every `tick` in `work`.

    Every process is a pool of its own, so that it is known whose item a killed one had. Raises what `work` raises, and as
    `pool` if a process was lost, naming its item; the other processes are stopped.
    """
    waiting = list(reversed(items))
    processes = min(processes, len(items))
    with ExitStack() as stack:
        free = [_Lane.started(stack) for _ in range(processes)]
        busy: dict[Future[object], tuple[_Lane, Item]] = {}
        while waiting or busy:
            while waiting and free:
                lane, item = free.pop(), waiting.pop()
                try:
                    busy[lane.executor.submit(work, item)] = (lane, item)
                except BrokenProcessPool as broken:  # killed between two items
                    raise lane.executor.lost(broken, f" at {name(item)}", total=processes) from broken
            done, _ = wait(busy, timeout=_TICK_S, return_when=FIRST_COMPLETED)
            for lane, _item in busy.values():
                lane.tell(on_progress)
            finished = [(future.exception(), *busy.pop(future)) for future in done]
            for error, lane, item in finished:
                if error is None:
                    free.append(lane)
                    if on_done:
                        on_done(item)
            for error, lane, item in finished:
                if isinstance(error, BrokenProcessPool):
                    raise lane.executor.lost(error, f" at {name(item)}", total=processes) from error
                if error is not None:
                    raise error


def tick() -> None:
    """In `work` of `as_done`: one more step of it is done."""
    if _ticks is not None:
        _ticks.value += 1


@dataclass(slots=True)
class _Lane:
    """One process, and how many of its ticks were told."""

    executor: Pool
    ticks: ctypes.c_long
    told: int = 0

    @classmethod
    def started(cls, stack: ExitStack) -> _Lane:
        # Without a lock: one process writes it, and a killed one must not leave it locked.
        ticks = multiprocessing.get_context("spawn").RawValue(ctypes.c_long, 0)
        return cls(executor=stack.enter_context(pool(1, ticks=ticks)), ticks=ticks)

    def tell(self, on_progress: Callable[[], None] | None) -> None:
        now = self.ticks.value
        if on_progress:
            for _ in range(now - self.told):
                on_progress()
        self.told = now


@contextmanager
def pool(processes: int, *, ticks: ctypes.c_long | None = None) -> Iterator[Pool]:
    """Processes with one thread each.

    Raises by the exit code of one that ended before its work was done: TrainingError(out_of_memory | shared_memory_exhausted | process_lost),
    RuntimeSetupError(illegal_instruction).
    """
    with _sigterm_as_exit():
        executor = Pool(processes, ticks=ticks)
        try:
            yield executor
        except BrokenProcessPool as error:
            raise executor.lost(error) from error
        except BaseException:
            for process in executor.started:
                process.terminate()  # what they are at is not wanted any more
            raise
        finally:
            executor.shutdown(cancel_futures=True)


class Pool(ProcessPoolExecutor):
    """As its base; it knows how its processes ended."""

    def __init__(self, processes: int, *, ticks: ctypes.c_long | None) -> None:
        context = _Remembering()
        self.started, self._total = context.started, processes
        super().__init__(processes, mp_context=context, initializer=_start, initargs=(ticks,))
        # All start with the first task. The pool's thread may not hear of the end of one that starts later, until another one is done.
        self._safe_to_dynamically_spawn_children = False

    def lost(self, error: BrokenProcessPool, place: str = "", *, total: int | None = None) -> TrainerError:
        """The error for a process that broke the pool.

        `total` is the number of processes in all. The pool itself stops the others with SIGTERM.
        """
        total = total or self._total
        who = f"one of {total} processes" if total > 1 else "the process that does it"
        if error.__cause__:  # it did not end: nobody can read what it sent
            unread = str(error.__cause__).strip().removesuffix("'''").rstrip().splitlines()[-1]
            return TrainingError(f"what {who} sent back{place} cannot be read ({unread})", cause="process_lost")
        deadline = time.monotonic() + _STOPPING_S
        # Not joined: the pool's own thread joins them, too, and one of the two would see no exit code.
        while None in (codes := [process.exitcode for process in self.started]) and time.monotonic() < deadline:
            time.sleep(0.01)
        first = next((code for code in codes if code not in (None, 0, -signal.SIGTERM)), codes[0] if codes else None)
        return lost_process(first, who + place)


class _Remembering(SpawnContext):
    """Spawns processes and keeps them: a broken pool forgets how its own ended. A forked torch may hang on its thread pool."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[SpawnProcess] = []

    def Process(self, *arguments: Any, **named: Any) -> SpawnProcess:  # type: ignore[override]  # noqa: N802  # there it is an attribute
        self.started.append(SpawnProcess(*arguments, **named))
        return self.started[-1]


def _collect(results: Iterable[Found], found: list[Found], on_progress: Callable[[], None] | None) -> None:
    """Appends each result to `found`, so that the finished ones are known if the rest fails."""
    for one in results:
        found.append(one)
        if on_progress:
            on_progress()


@contextmanager
def _sigterm_as_exit() -> Iterator[None]:
    """SIGTERM ends this process through its `finally` clauses, as Ctrl-C does: killed at once, it would leave its pool behind."""
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    ):
        yield
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _start(ticks: ctypes.c_long | None) -> None:
    """In a new process: Ctrl-C is its parent's business, and it does not outlive a killed one."""
    import torch  # the parent may do without

    global _ticks
    _ticks = ticks
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)
