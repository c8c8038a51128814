"""The lines of a cost log: a session starts, gives signs of life, and stops."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from acceptance.costs import clock
from acceptance.costs.clock import Moment
from trainer.files import typed_json

SCHEMA = "cost_event/1"
START, HEARTBEAT, STOP = "start", "heartbeat", "stop"
MOST_RATE = 10**12
"""Micro-dollars an hour: a million dollars."""
MOST_MADE = 10**12
"""Utterances or voices of one session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a session is for, and what an hour of its machine costs."""

    activity: str
    rate: int
    """Micro-dollars an hour."""
    heartbeat_s: int
    """Seconds between two signs of life."""
    voice: str | None = None
    gpu: str | None = None
    run: str | None = None
    """The acceptance run or the batch that it belongs to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What came out of a session, for prices per piece."""

    approved: int = 0
    """Utterances."""
    promoted: int = 0
    """Voices."""
    of: str | None = None
    """The plan or the checkpoint that was made of: told again, it counts as it was told last. None: this session's only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of the log. `about` stands in a start only, `made` in a stop only."""

    event: str
    session: str
    moment: Moment
    about: About | None = None
    made: Made | None = None

    def document(self) -> dict[str, Any]:
        """The line as JSON."""
        return {"schema": SCHEMA, **asdict(self)}


def parse(value: Mapping[str, Any]) -> Event:
    """The event of a line; raises ValueError that says what does not hold."""
    if value.get("schema") != SCHEMA:
        raise ValueError(f"its schema is not {SCHEMA}")
    document = {name: part for name, part in value.items() if name != "schema"}
    if isinstance(made := document.get("made"), dict):
        document["made"] = {"of": None, **made}  # earlier versions did not say
    event: Event = typed_json.build(Event, document)
    clock.milliseconds(event.moment.at)
    if event.event not in (START, HEARTBEAT, STOP):
        raise ValueError(f"{event.event!r} is no event")
    if event.moment.uptime_ms < 0:
        raise ValueError("its clock is before the machine's start")
    if (event.about is None) == (event.event == START):
        raise ValueError("a start, and nothing else, says what it is for")
    if event.about is not None and not (0 <= event.about.rate <= MOST_RATE and event.about.heartbeat_s > 0):
        raise ValueError(f"a rate of {event.about.rate} micro-dollars an hour, or its interval, is impossible")
    if event.made is not None:
        counts = (event.made.approved, event.made.promoted)
        if event.event != STOP or not all(0 <= count <= MOST_MADE for count in counts):
            raise ValueError("only a stop says what was made, and no less than nothing or more than there can be")
    return event
