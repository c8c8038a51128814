"""Events become sessions with a duration and a price.

Time counts where it is proven: between two signs of life of one session that lie close enough together on the clock of one boot. So a crash costs
up to the last sign, a late or second stop adds nothing, and a calendar that jumps makes no time. Where sessions of one machine overlap, each
moment is paid once, by the session that started last: inside a full cycle its training pays for itself.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from acceptance.costs import clock, money
from acceptance.costs.clock import Moment
from acceptance.costs.events import START, STOP, About, Event, Made

PATIENCE = 3
"""Signs of life may be so many intervals apart; a longer silence proves nothing."""
OPEN, STOPPED, ABANDONED = "open", "stopped", "abandoned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Proven time of one session: from `start` to `end` on its boot's clock, in milliseconds; `at_ms` is the calendar's time of its end."""

    session: str
    start: int
    end: int
    at_ms: int


@dataclass(slots=True, kw_only=True)
class CostSession:
    """One session as its events tell it."""

    id: str
    number: int
    """Its place among the starts of the log."""
    about: About
    began: Moment
    last: Moment
    state: str = OPEN
    made: Made | None = None
    """None: it did not say."""
    stretches: list[Stretch] = field(default_factory=list)
    paid_ms: int = 0
    """Proven time that no session within it pays for."""
    days: dict[str, int] = field(default_factory=dict)
    """Paid milliseconds by UTC day."""

    @property
    def cost(self) -> int:
        """Micro-dollars, rounded once for the session."""
        return money.price(self.paid_ms, self.about.rate)

    @property
    def patience_ms(self) -> int:
        """The longest silence that still counts."""
        return PATIENCE * self.about.heartbeat_s * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """Time between two sessions of one boot: the machine was on, and nothing of ours ran."""

    machine: str
    duration_ms: int
    rate: int
    """Of the session before it."""
    end_ms: int
    """Calendar time of its end."""

    @property
    def cost(self) -> int:
        """Micro-dollars."""
        return money.price(self.duration_ms, self.rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """All sessions in the order of their starts, the idle time between them, and what was strange."""

    sessions: tuple[CostSession, ...]
    idle: tuple[Idle, ...]
    notices: tuple[str, ...]

    @property
    def cost(self) -> int:
        """Micro-dollars of all sessions; idle time is told beside it."""
        return sum(session.cost for session in self.sessions)


def settle(events: Iterable[Event], now: Moment) -> Accounts:
    """The accounts at a moment; never raises for events that contradict each other: they become notices."""
    notices: list[str] = []
    sessions: dict[str, CostSession] = {}
    for event in events:
        problem = _take(event, sessions)
        if problem:
            notices.append(f"session {event.session}: {problem}")
    for session in sessions.values():
        if session.state == OPEN and _silence(session, now) > session.patience_ms:
            session.state = ABANDONED
    late = clock.milliseconds(now.at) + clock.DAY_MS
    notices += [
        f"session {one.id}: dated {one.began.at}, which is not yet; the clock of {one.began.machine} is wrong"
        for one in sessions.values()
        if clock.milliseconds(one.began.at) > late
    ]
    boots: dict[str, list[Stretch]] = {}
    for session in sessions.values():
        boots.setdefault(session.began.boot, []).extend(session.stretches)
    idle = [gap for stretches in boots.values() for gap in _pay(stretches, sessions)]
    return Accounts(sessions=tuple(sessions.values()), idle=tuple(idle), notices=tuple(notices))


def _take(event: Event, sessions: dict[str, CostSession]) -> str | None:
    """Adds an event to its session; says what is wrong with one that cannot count."""
    session, moment = sessions.get(event.session), event.moment
    if event.event == START:
        if session is not None:
            return "started twice; the second start is left out"
        assert event.about is not None
        sessions[event.session] = CostSession(
            id=event.session, number=len(sessions), about=event.about, began=moment, last=moment
        )
        return None
    if session is None:
        return f"a {event.event} without a start; it is left out"
    if session.state != OPEN:
        return None if event.event == STOP else "a sign of life after its stop; it is left out"
    same_boot = moment.boot == session.last.boot
    if same_boot and moment.uptime_ms < session.last.uptime_ms:
        return f"a {event.event} from before the one before it; it is left out"
    silence = moment.uptime_ms - session.last.uptime_ms
    proven = same_boot and silence <= session.patience_ms
    if proven and silence:
        at_ms = clock.milliseconds(moment.at)
        session.stretches.append(
            Stretch(session=session.id, start=session.last.uptime_ms, end=moment.uptime_ms, at_ms=at_ms)
        )
    if event.event == STOP:
        session.state = STOPPED if proven else ABANDONED
        session.made = event.made
    elif not same_boot:
        return "a sign of life after the machine started anew; it is left out"
    if same_boot:
        session.last = moment
    return None if proven else "silent for too long before a later event; that time is not counted"


def _silence(session: CostSession, now: Moment) -> int:
    """Milliseconds without a sign of life, by the best clock there is."""
    if now.boot == session.last.boot:
        return now.uptime_ms - session.last.uptime_ms
    return clock.milliseconds(now.at) - clock.milliseconds(session.last.at)


def _pay(stretches: Sequence[Stretch], sessions: Mapping[str, CostSession]) -> list[Idle]:
    """Gives each moment of one boot to the session that started last; returns the times when none ran."""
    idle: list[Idle] = []
    waiting = sorted(stretches, key=lambda one: one.start)
    edges = sorted({edge for one in stretches for edge in (one.start, one.end)})
    active: list[tuple[int, int, Stretch]] = []  # the session that started last is first
    taken = 0
    payer: CostSession | None = None
    for start, end in itertools.pairwise(edges):
        while taken < len(waiting) and waiting[taken].start == start:
            one = waiting[taken]
            heapq.heappush(active, (-sessions[one.session].number, taken, one))
            taken += 1
        while active and active[0][2].end <= start:
            heapq.heappop(active)
        if active:
            owner = active[0][2]
            payer = sessions[owner.session]
            payer.paid_ms += end - start
            for day, part in clock.days(owner.at_ms - (owner.end - end), end - start):
                payer.days[day] = payer.days.get(day, 0) + part
        elif payer is not None:
            after = waiting[taken]  # a time without a session ends where the next one's begins
            began_ms = after.at_ms - (after.end - after.start)
            idle.append(
                Idle(machine=payer.began.machine, duration_ms=end - start, rate=payer.about.rate, end_ms=began_ms)
            )
    return idle
