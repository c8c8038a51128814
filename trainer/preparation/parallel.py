"""Does the same work on many items in several processes; their number changes nothing in the results."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TypeVar

import torch

from trainer.errors import TrainingError

Item = TypeVar("Item")
Found = TypeVar("Found")


def each(
    work: Callable[[Item], Found],
    items: Sequence[Item],
    *,
    processes: int = 1,
    on_progress: Callable[[], None] | None = None,
    name: Callable[[Item], str] | None = None,
) -> list[Found]:
    """`work` on every item, in their order; with several processes it and the items have to be picklable.

    Raises what `work` raises, and TrainingError(out_of_memory) if a process was killed. With `name` the error says how far the work was.
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
            raise _killed(processes, f" at {name(items[len(found)])} or a later one" if name else "") from error
    return found


@contextmanager
def pool(processes: int, *, nice: int = 0) -> Iterator[ProcessPoolExecutor]:
    """Processes with one thread each; `nice` lowers their priority. Raises TrainingError(out_of_memory) where one was killed."""
    with _sigterm_as_exit():
        context = multiprocessing.get_context("spawn")  # a forked torch may hang on its thread pool
        executor = ProcessPoolExecutor(processes, mp_context=context, initializer=_start, initargs=(nice,))
        try:
            yield executor
        except BrokenProcessPool as error:
            raise _killed(processes) from error
        except BaseException:
            for process in multiprocessing.active_children():
                process.terminate()  # what they are at is not wanted any more
            raise
        finally:
            executor.shutdown(cancel_futures=True)


def _killed(processes: int, place: str = "") -> TrainingError:
    return TrainingError(
        f"one of {processes} processes was killed{place}, mostly for memory; use fewer processes, or give them more memory",
        cause="out_of_memory",
    )


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


def _start(nice: int) -> None:
    """In a new process: Ctrl-C is its parent's business, and it does not outlive a killed one."""
    os.nice(nice)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)
