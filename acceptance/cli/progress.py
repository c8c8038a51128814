"""How far it is: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

from trainer.files.printable import notice_line

_LINES = 10
_SECONDS = 30.0


@contextmanager
def shown(what: str) -> Iterator[Callable[[int], Callable[[], None]]]:
    """Gives a function that takes a total and returns what is called after each of them; everything goes to stderr.

    In a log: a line for every tenth, and for every half minute that brings something.
    """
    terminal = sys.stderr.isatty()
    with tqdm(desc=what, unit="clip", disable=not terminal, dynamic_ncols=True) as bar:

        def start(total: int) -> Callable[[], None]:
            bar.total = total
            return bar.update if terminal else _lines(what, total)

        yield start


def note(line: str) -> None:
    """Print what a person should know, on stderr."""
    tqdm.write(notice_line(line), file=sys.stderr)


def _lines(what: str, total: int) -> Callable[[], None]:
    done, printed = 0, time.monotonic()

    def step() -> None:
        nonlocal done, printed
        done += 1
        now = time.monotonic()
        if done * _LINES // total > (done - 1) * _LINES // total or now - printed >= _SECONDS:
            printed = now
            print(f"{what}: {done}/{total} clips", file=sys.stderr, flush=True)

    return step
