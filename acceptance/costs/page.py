"""The cost report as a page: the total, where it went, and day by day."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from acceptance.costs import budget, money, summary
from acceptance.costs.totals import Accounts
from acceptance.pages import environment, plot
from acceptance.pages.plot import Line
from acceptance.pages.table import Column, Kind, Table

_TEMPLATE = Path(__file__).with_name("cost_page.html")


def page(accounts: Accounts, found: dict[str, Any]) -> str:
    """HTML of the accounts and of their report (`summary.document`)."""
    share = found["idle_share"]
    return environment.render(
        _TEMPLATE,
        total=summary.amount(found, found["total"]),
        hours=f"{found['paid_s'] / 3600:.2f}",
        alerts=found["alerts"],
        facts=[
            (
                "per approved utterance",
                f"{summary.amount(found, found['per_approved_utterance'])} ({found['approved_utterances']})",
            ),
            (
                "per promoted voice",
                f"{summary.amount(found, found['per_promoted_voice'])} ({found['promoted_voices']})",
            ),
            (
                "idle",
                f"{found['idle_s'] / 3600:.2f} h, {summary.amount(found, found['idle_cost'])}"
                + (f", {share:.0%} of the time" if share else ""),
            ),
            ("open, abandoned", f"{found['open']}, {found['abandoned']}"),
        ],
        curve=_curve(accounts, found["currency"]),
        activities=(summary.ACTIVITY_HEADINGS, summary.group_rows(found, "by_activity")),
        voices=(summary.VOICE_HEADINGS, summary.group_rows(found, "by_voice")),
        sessions=_sessions(accounts),
        notices=found["notices"],
    )


def _curve(accounts: Accounts, currency: str) -> str:
    """Cost of each day and their sum, over days since the first."""
    days = list(budget.by_day(accounts).values())
    sums = list(itertools.accumulate(days))
    drawn = [
        Line(name=name, points=[(number, cost / money.MICRO) for number, cost in enumerate(costs, start=1)], dots=True)
        for name, costs in (("of the day", days), ("in total", sums))
    ]
    return plot.lines(drawn, title="Cost by day", x="day with costs", y=currency)


def _sessions(accounts: Accounts) -> Table:
    rows = [
        [
            one.began.at,
            one.about.activity,
            one.about.voice or "",
            one.began.machine,
            one.state,
            one.paid_ms / 3_600_000,
            one.cost / money.MICRO,
        ]
        for one in reversed(accounts.sessions)
    ]
    columns = [
        Column(title="began"), Column(title="activity"), Column(title="voice"), Column(title="machine"),
        Column(title="state", kind=Kind.BADGE), Column(title="hours", kind=Kind.NUMBER, digits=3),
        Column(title="cost", kind=Kind.NUMBER, digits=4),
    ]  # fmt: skip
    return Table(caption="Sessions, the newest first", columns=columns, rows=rows, sorted_by=0, descending=True)
