"""What is too much: a budget that is spent, a day of idling, a day unlike the others."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from acceptance.costs import clock, money
from acceptance.costs.totals import Accounts
from acceptance.policy.sections import CostPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One sentence on what is too much, and the next step."""

    kind: str
    message: str
    next_step: str


def alerts(accounts: Accounts, rules: CostPolicy, today: str) -> tuple[Alert, ...]:
    """What a person should hear about on a UTC day (2026-01-02)."""
    found = (over_total(accounts, rules), _idle(accounts, rules, today), _anomaly(accounts, rules, today))
    return tuple(one for one in found if one is not None)


def over_total(accounts: Accounts, rules: CostPolicy) -> Alert | None:
    """The alert of a total budget that is spent; None below it."""
    budget = money.micro(rules.total_budget)
    if not budget or accounts.cost < budget:
        return None
    return Alert(
        kind="total_budget",
        message=f"{_say(accounts.cost, rules)} are spent of a budget of {_say(budget, rules)} (cost.total_budget)",
        next_step="see what it went to with voice cost report, then raise cost.total_budget or start a new log",
    )


def by_day(accounts: Accounts) -> dict[str, int]:
    """Micro-dollars of all sessions by UTC day, in order; each day of a session is rounded by itself."""
    found: dict[str, int] = {}
    for session in accounts.sessions:
        for day, duration in session.days.items():
            found[day] = found.get(day, 0) + money.price(duration, session.about.rate)
    return dict(sorted(found.items()))


def idle_by_day(accounts: Accounts) -> dict[str, int]:
    """Micro-dollars of idle time by UTC day, in order."""
    found: dict[str, int] = {}
    for gap in accounts.idle:
        for day, duration in clock.days(gap.end_ms, gap.duration_ms):
            found[day] = found.get(day, 0) + money.price(duration, gap.rate)
    return dict(sorted(found.items()))


def _idle(accounts: Accounts, rules: CostPolicy, today: str) -> Alert | None:
    budget, spent = money.micro(rules.daily_idle_budget), idle_by_day(accounts).get(today, 0)
    if not budget or spent <= budget:
        return None
    return Alert(
        kind="daily_idle_budget",
        message=f"idle time cost {_say(spent, rules)} today, more than {_say(budget, rules)} (cost.daily_idle_budget)",
        next_step="stop the machine when nothing runs on it",
    )


def _anomaly(accounts: Accounts, rules: CostPolicy, today: str) -> Alert | None:
    costs = by_day(accounts)
    earlier = [cost for day, cost in costs.items() if day < today and cost]
    if len(earlier) < rules.anomaly_min_days or costs.get(today, 0) <= rules.anomaly_factor * median(earlier):
        return None
    return Alert(
        kind="anomaly",
        message=f"today cost {_say(costs[today], rules)}, more than {rules.anomaly_factor:g} times the {_say(round(median(earlier)), rules)} "
        f"of the median of {len(earlier)} days before (cost.anomaly_factor)",
        next_step="see which activity it was with voice cost report",
    )


def _say(amount: int, rules: CostPolicy) -> str:
    return money.text(amount, rules.currency, decimals=2)
