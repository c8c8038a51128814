"""Writes the cost log: a session starts, a thread gives its signs of life, and it stops whatever happens."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from acceptance.costs import accounts, clock, events
from acceptance.costs.accounts import Accounts
from acceptance.costs.events import About, Event, Made
from acceptance.failure import HarnessError
from acceptance.record import ledger
from trainer.errors import TrainerError

LOG = Path("artifacts/cost_log.jsonl")
"""In the workspace."""


class Tally:
    """What came out of a session so far; its stop says it."""

    def __init__(self) -> None:
        self.made = Made()


@contextmanager
def tracked(log: Path, about: About, *, warn: Callable[[str], None]) -> Iterator[Tally]:
    """One session from here to the end of the block, whatever ends it.

    A log that cannot be written never costs the work: `warn` is told once, and the work goes on without it.
    """
    tally, ended = Tally(), threading.Event()
    session: str | None = None
    try:
        session = start(log, about)
    except (HarnessError, TrainerError, OSError) as error:
        warn(f"costs are not tracked: {error}")
    beats = threading.Thread(target=_beat, args=(log, session, about.heartbeat_s, ended), daemon=True)
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
            except (HarnessError, TrainerError, OSError) as error:
                warn(
                    f"the end of the costs of {about.activity} is not written, they count to their last sign of life: {error}"
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


def read(log: Path) -> Accounts:
    """The accounts of a log at this moment; a line that does not hold is a notice. Raises HarnessError(history_invalid)."""
    contents = ledger.read(log)
    found: list[Event] = []
    damage = [(one.number, one.problem) for one in contents.damage]
    for line in contents.lines:
        try:
            found.append(events.parse(line.value))
        except ValueError as error:
            damage.append((line.number, str(error)))
    settled = accounts.settle(found, clock.now())
    notices = [f"{log}:{number} does not hold and is left out: {problem}" for number, problem in sorted(damage)]
    return Accounts(sessions=settled.sessions, idle=settled.idle, notices=(*notices, *settled.notices))


def _write(log: Path, event: Event) -> None:
    ledger.append(log, event.document())


def _beat(log: Path, session: str, every_s: int, ended: threading.Event) -> None:
    """Signs of life until the end; one that cannot be written is left out, the next may."""
    while not ended.wait(every_s):
        try:
            heartbeat(log, session)
        except (HarnessError, TrainerError, OSError):
            continue
