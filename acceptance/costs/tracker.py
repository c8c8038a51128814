"""Writes the cost log: a session starts, a thread gives its signs of life, and it stops whatever happens."""

from __future__ import annotations

import heapq
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from acceptance.costs import clock, events, totals
from acceptance.costs.events import About, Event, Made
from acceptance.costs.totals import Accounts
from acceptance.failure import HarnessError
from acceptance.record import ledger
from trainer.errors import TrainerError

LOG = Path("artifacts/cost_log.jsonl")
"""In the workspace."""
_UNWRITABLE = (HarnessError, TrainerError, OSError)


class Tally:
    """What came out of a session so far; its stop says it. None: it says nothing."""

    def __init__(self) -> None:
        self.made: Made | None = None


@contextmanager
def tracked(log: Path, about: About, *, warn: Callable[[str], None]) -> Iterator[Tally]:
    """One session from here to the end of the block, whatever ends it.

    A log that cannot be written never costs the work: `warn` is told once, at the end by the thread that works, and the work goes on without it.
    """
    tally, ended, lost = Tally(), threading.Event(), list[Exception]()
    session: str | None = None
    try:
        session = start(log, about)
    except _UNWRITABLE as error:
        warn(f"costs are not tracked: {error}")
    beats = threading.Thread(target=_beat, args=(log, session, about.heartbeat_s, ended, lost), daemon=True)
    if session is not None:
        beats.start()
    try:
        yield tally
    finally:
        ended.set()
        if session is not None:
            beats.join()
            try:
                stop(log, session, tally.made)
            except _UNWRITABLE as error:
                warn(
                    f"the end of the costs of {about.activity} is not written, they count to their last sign of life: {error}"
                )
            else:
                if lost:
                    warn(
                        f"{len(lost)} signs of life of {about.activity} are not written, a longer silence is not counted: {lost[0]}"
                    )


def start(log: Path, about: About) -> str:
    """Write a start; returns the new session's id. Raises as `ledger.append`."""
    session = secrets.token_hex(6)
    _write(log, Event(event=events.START, session=session, moment=clock.now(), about=about))
    return session


def heartbeat(log: Path, session: str) -> None:
    """Write a sign of life. Raises as `ledger.append`."""
    _write(log, Event(event=events.HEARTBEAT, session=session, moment=clock.now()))


def stop(log: Path, session: str, made: Made | None = None) -> None:
    """Write a stop; a second one of a session changes nothing. Raises as `ledger.append`."""
    _write(log, Event(event=events.STOP, session=session, moment=clock.now(), made=made))


def read(*logs: Path) -> Accounts:
    """The accounts of all logs at this moment; a line that does not hold is a notice. Raises HarnessError(history_invalid).

    A machine that several logs name, as those of a fleet do, is paid once.
    """
    notices: list[str] = []
    found = [list(_events(log, notices)) for log in logs]
    together = heapq.merge(*found, key=lambda event: clock.milliseconds(event.moment.at))  # each log keeps its order
    settled = totals.settle(together, clock.now())
    return Accounts(sessions=settled.sessions, idle=settled.idle, notices=(*notices, *settled.notices))


def _events(log: Path, notices: list[str]) -> Iterator[Event]:
    """The events of a log; a line that does not hold adds a notice."""
    contents = ledger.read(log)
    damage = [(one.number, one.problem) for one in contents.damage]
    for line in contents.lines:
        try:
            yield events.parse(line.value)
        except ValueError as error:
            damage.append((line.number, str(error)))
    notices += [f"{log}:{number} does not hold and is left out: {problem}" for number, problem in sorted(damage)]


def _write(log: Path, event: Event) -> None:
    ledger.append(log, event.document())


def _beat(log: Path, session: str, every_s: int, ended: threading.Event, lost: list[Exception]) -> None:
    """Signs of life until the end; one that cannot be written is added to the `lost`, the next may be written."""
    while not ended.wait(every_s):
        try:
            heartbeat(log, session)
        except _UNWRITABLE as error:
            lost.append(error)
