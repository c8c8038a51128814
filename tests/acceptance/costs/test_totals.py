"""Events become time and money: a model that counts every millisecond by hand agrees, whatever crashes, jumps or overlaps."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from acceptance.costs import clock, money, totals
from acceptance.costs.clock import Moment
from acceptance.costs.events import HEARTBEAT, START, STOP, About, Event, Made
from acceptance.costs.totals import ABANDONED, OPEN, STOPPED, settle

EVERY_S = 30
PATIENCE_MS = totals.PATIENCE * EVERY_S * 1000
NOON = "2026-03-01T12:00:00Z"


def about(rate: int = 600_000, activity: str = "training") -> About:
    return About(activity=activity, rate=rate, heartbeat_s=EVERY_S)


def moment(uptime_ms: int, *, boot: str = "b", at: str = NOON) -> Moment:
    return Moment(machine="m", boot=boot, uptime_ms=uptime_ms, at=at)


def start(session: str, uptime_ms: int, rate: int = 600_000, **where: str) -> Event:
    return Event(event=START, session=session, moment=moment(uptime_ms, **where), about=about(rate))


def beat(session: str, uptime_ms: int, **where: str) -> Event:
    return Event(event=HEARTBEAT, session=session, moment=moment(uptime_ms, **where))


def stop(session: str, uptime_ms: int, made: Made | None = None, **where: str) -> Event:
    return Event(event=STOP, session=session, moment=moment(uptime_ms, **where), made=made)


def paid(*events: Event, now: int = 0) -> dict[str, int]:
    found = settle(events, moment(now or max(event.moment.uptime_ms for event in events)))
    return {session.id: session.paid_ms for session in found.sessions}


def test_an_hour_at_sixty_cents_costs_sixty_cents() -> None:
    beats = [beat("a", second * 1000) for second in range(30, 3600, 30)]
    (session,) = settle([start("a", 0), *beats, stop("a", 3_600_000)], moment(3_600_000)).sessions
    assert (session.paid_ms, session.cost, session.state) == (3_600_000, 600_000, STOPPED)


def test_a_second_stop_changes_nothing() -> None:
    once = settle([start("a", 0), stop("a", 20_000)], moment(20_000))
    assert settle([start("a", 0), stop("a", 20_000), stop("a", 50_000)], moment(50_000)) == once


def test_a_session_that_crashed_costs_up_to_its_last_sign_of_life_and_is_abandoned() -> None:
    found = settle([start("a", 0), beat("a", 30_000), beat("a", 60_000)], moment(10_000_000))
    assert [(one.paid_ms, one.state) for one in found.sessions] == [(60_000, ABANDONED)]


def test_a_stop_a_day_after_a_crash_adds_nothing_and_is_told() -> None:
    found = settle([start("a", 0), beat("a", 30_000), stop("a", 86_400_000)], moment(86_400_000))
    assert [(one.paid_ms, one.state) for one in found.sessions] == [(30_000, ABANDONED)]
    assert "silent for too long" in found.notices[0]


def test_a_restart_of_the_machine_ends_a_session() -> None:
    found = settle([start("a", 500_000), beat("a", 530_000), stop("a", 10_000, boot="c")], moment(10_000, boot="c"))
    assert [(one.paid_ms, one.state) for one in found.sessions] == [(30_000, ABANDONED)]


def test_a_calendar_that_jumps_makes_no_time() -> None:
    jump = settle([start("a", 0), beat("a", 30_000, at="2031-01-01T00:00:00Z"), stop("a", 60_000)], moment(60_000))
    assert [one.paid_ms for one in jump.sessions] == [60_000]


def test_a_session_dated_in_the_future_is_named() -> None:
    found = settle(
        [start("a", 0, at="2031-01-01T00:00:00Z"), stop("a", 30_000, at="2031-01-01T00:00:30Z")], moment(30_000)
    )
    assert "which is not yet" in found.notices[0]


def test_the_session_within_pays_and_the_one_around_it_pays_for_the_rest() -> None:
    beats = [beat("cycle", time) for time in range(30_000, 120_000, 30_000)]
    events = [start("cycle", 0), start("training", 40_000), *beats, stop("training", 70_000), stop("cycle", 120_000)]
    assert paid(*events) == {"cycle": 90_000, "training": 30_000}


def test_time_between_two_sessions_of_a_machine_that_stayed_on_is_idle() -> None:
    events = [start("a", 0), stop("a", 30_000), start("b", 630_000), stop("b", 660_000)]
    found = settle(events, moment(660_000))
    assert [(gap.duration_ms, gap.cost) for gap in found.idle] == [(600_000, 100_000)]
    other = settle(
        [*events[:2], start("b", 630_000, boot="c"), stop("b", 660_000, boot="c")], moment(660_000, boot="c")
    )
    assert other.idle == ()


@pytest.mark.parametrize("event", [beat("a", 10), stop("a", 10)])
def test_an_event_without_a_start_is_named_and_left_out(event: Event) -> None:
    found = settle([event], moment(10))
    assert found.sessions == () and "without a start" in found.notices[0]


@given(st.integers(0, 10**12), st.integers(0, 10**9))
def test_a_price_is_the_nearest_whole_millionth(rate: int, duration_ms: int) -> None:
    assert abs(money.price(duration_ms, rate) - Fraction(duration_ms * rate, 3_600_000)) <= Fraction(1, 2)


@given(st.integers(0, 4 * clock.DAY_MS), st.integers(0, 3 * clock.DAY_MS))
def test_the_days_of_a_stretch_add_up_to_it(after_noon_ms: int, duration_ms: int) -> None:
    found = clock.days(clock.milliseconds(NOON) + after_noon_ms, duration_ms)
    assert sum(part for _, part in found) == duration_ms
    assert [day for day, _ in found] == sorted({day for day, _ in found}, reverse=True)
    assert all(0 < part <= clock.DAY_MS for _, part in found)


class Machine(RuleBasedStateMachine):
    """One machine in seconds; the model keeps the set of seconds that are proven for each session, and who pays for each."""

    def __init__(self) -> None:
        super().__init__()
        self.second, self.boot, self.days = 0, 0, 0
        self.events: list[Event] = []
        self.last: dict[str, tuple[int, int]] = {}
        self.running: list[str] = []
        self.stopped: set[str] = set()
        self.proven: dict[str, set[tuple[int, int]]] = {}

    def here(self) -> Moment:
        return replace(
            moment(self.second * 1000, boot=str(self.boot)), at=f"2026-03-{1 + self.days % 28:02d}T12:00:00Z"
        )

    def sign(self, session: str) -> None:
        boot, second = self.last[session]
        if boot == self.boot and 1000 * (self.second - second) <= PATIENCE_MS:
            self.proven[session] |= {(boot, one) for one in range(second, self.second)}
        if boot == self.boot:
            self.last[session] = (boot, self.second)

    @rule(seconds=st.integers(0, 200))
    def time_goes_on(self, seconds: int) -> None:
        self.second += seconds

    @rule(days=st.integers(-40, 40))
    def the_calendar_jumps(self, days: int) -> None:
        self.days += days

    @rule()
    def a_session_starts(self) -> None:
        name = f"s{len(self.proven)}"
        self.events.append(Event(event=START, session=name, moment=self.here(), about=about()))
        self.running.append(name)
        self.proven[name], self.last[name] = set(), (self.boot, self.second)

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def a_session_gives_a_sign(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(self.running))
        self.events.append(Event(event=HEARTBEAT, session=name, moment=self.here()))
        self.sign(name)

    @precondition(lambda self: self.running)
    @rule(data=st.data(), twice=st.booleans())
    def a_session_stops(self, data: st.DataObject, twice: bool) -> None:
        name = data.draw(st.sampled_from(self.running))
        self.running.remove(name)
        self.sign(name)
        self.events += [Event(event=STOP, session=name, moment=self.here())] * (1 + twice)
        self.stopped.add(name)

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def a_session_is_killed(self, data: st.DataObject) -> None:
        self.running.remove(data.draw(st.sampled_from(self.running)))

    @rule()
    def the_machine_starts_anew(self) -> None:
        self.boot, self.second = self.boot + 1, 0
        self.running = []

    @invariant()
    def the_accounts_agree_with_the_model(self) -> None:
        found = settle(self.events, self.here())
        moments = set().union(*self.proven.values()) if self.proven else set()
        starts = list(self.proven)  # a second is paid by the session that started last
        newest = {one: max(i for i, name in enumerate(starts) if one in self.proven[name]) for one in moments}
        assert {one.id: one.paid_ms for one in found.sessions} == {
            name: 1000 * sum(owner == i for owner in newest.values()) for i, name in enumerate(starts)
        }
        assert all(sum(one.days.values()) == one.paid_ms for one in found.sessions)
        assert all(one.state != OPEN for one in found.sessions if one.id in self.stopped)
        spans = 0
        for boot in range(self.boot + 1):
            known = {second for at, second in moments if at == boot}
            spans += max(known) + 1 - min(known) - len(known) if known else 0
        assert sum(gap.duration_ms for gap in found.idle) == 1000 * spans


Machine.TestCase.settings = settings(max_examples=500, stateful_step_count=25, deadline=None)
test_any_history_of_a_machine_agrees_with_the_model = Machine.TestCase
