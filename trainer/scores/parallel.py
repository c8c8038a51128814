"""Judging many clips at once, with results that do not depend on how many processes do it."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

import torch

from trainer.errors import RuntimeSetupError

Item = TypeVar("Item")
Found = TypeVar("Found")


def each(
    judge: Callable[[Item], Found], items: Sequence[Item], *, processes: int = 1, on_progress: Callable[[], None] | None = None
) -> list[Found]:
    """`judge` of every item, in their order; with several processes it and the items have to be picklable.

    Raises what `judge` raises, and RuntimeSetupError(out_of_memory) where a process was killed.
    """
    found = []
    if processes <= 1 or len(items) <= 1:
        results = map(judge, items)
        pool = None
    else:
        context = multiprocessing.get_context("spawn")  # a forked torch may hang on its thread pool
        pool = ProcessPoolExecutor(min(processes, len(items)), mp_context=context, initializer=_one_thread)
        results = pool.map(judge, items)
    try:
        for one in results:
            found.append(one)
            if on_progress:
                on_progress()
    except BrokenProcessPool as error:
        raise RuntimeSetupError(
            f"a measuring process was killed after {len(found)} of {len(items)} clips, mostly for memory; use fewer --processes",
            cause="out_of_memory",
        ) from error
    finally:
        if pool:
            pool.shutdown(cancel_futures=True)
    return found


def _one_thread() -> None:
    torch.set_num_threads(1)
