"""What is too much is told, and nothing else is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from acceptance.costs import budget, totals
from acceptance.costs.clock import Moment
from acceptance.costs.events import START, STOP, About, Event
from acceptance.costs.totals import Accounts
from acceptance.policy.sections import CostPolicy

RULES = CostPolicy()
DAYS = ("2026-03-01", "2026-03-02", "2026-03-03", "2026-03-04")


def spent(hours: dict[str, float], *, gap_h: float = 0.0) -> Accounts:
    """So many hours at a dollar each, in one session a day of one boot; between two of them `gap_h` of idle time."""
    events, uptime = [], 0
    for number, (day, duration) in enumerate(hours.items()):
        about = About(activity="training", rate=1_000_000, heartbeat_s=100_000)
        where = Moment(machine="m", boot="b", uptime_ms=uptime, at=f"{day}T01:00:00Z")
        events.append(Event(event=START, session=str(number), moment=where, about=about))
        uptime += round(duration * 3_600_000)
        where = replace(where, uptime_ms=uptime, at=f"{day}T23:00:00Z")
        events.append(Event(event=STOP, session=str(number), moment=where))
        uptime += round(gap_h * 3_600_000)
    return totals.settle(events, where)


def kinds(found: Accounts, rules: CostPolicy, today: str = DAYS[-1]) -> list[str]:
    return [one.kind for one in budget.alerts(found, rules, today)]


def test_no_budget_is_no_alert() -> None:
    assert kinds(spent(dict.fromkeys(DAYS, 5.0)), RULES) == []


@pytest.mark.parametrize(("total", "expected"), [(19.99, ["total_budget"]), (20.0, ["total_budget"]), (20.01, [])])
def test_a_budget_that_is_spent_is_told(total: float, expected: list[str]) -> None:
    assert kinds(spent(dict.fromkeys(DAYS, 5.0)), replace(RULES, total_budget=total)) == expected


@pytest.mark.parametrize(("today", "expected"), [(3.0, []), (3.1, ["anomaly"])])
def test_a_day_unlike_those_before_is_told(today: float, expected: list[str]) -> None:
    assert kinds(spent({**dict.fromkeys(DAYS[:3], 1.0), DAYS[3]: today}), RULES) == expected


def test_too_few_days_before_say_nothing() -> None:
    assert kinds(spent({DAYS[2]: 1.0, DAYS[3]: 20.0}), RULES) == []


@pytest.mark.parametrize(("limit", "expected"), [(1.9, ["daily_idle_budget"]), (2.1, [])])
def test_a_day_of_idling_is_told(limit: float, expected: list[str]) -> None:
    found = spent({DAYS[2]: 1.0, DAYS[3]: 1.0}, gap_h=2.0)
    assert kinds(found, replace(RULES, daily_idle_budget=limit), today=DAYS[3]) == expected


def test_the_days_add_up_to_the_total() -> None:
    found = spent(dict.fromkeys(DAYS, 5.0))
    assert budget.by_day(found) == dict.fromkeys(DAYS, 5_000_000)
    assert found.cost == 20_000_000
