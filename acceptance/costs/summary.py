"""What a cost log comes to: by activity, by voice, per piece, and how much of it was idle; as text, JSON and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from typing import Any

from acceptance.costs import budget, money
from acceptance.costs.accounts import ABANDONED, OPEN, Accounts, CostSession
from acceptance.policy.sections import CostPolicy
from trainer.files.markdown import cell, table
from trainer.files.printable import printable

SCHEMA = "cost_report/1"
_NO_VOICE = "(none)"
_COLUMNS = ("session", "activity", "voice", "run", "machine", "gpu", "began", "state", "proven_s", "paid_s", "rate_per_hour",
            "cost", "approved", "promoted")  # fmt: skip
SIGN = ",".join(_COLUMNS).encode()
"""With it begins every table that `rows` has made."""


def document(accounts: Accounts, rules: CostPolicy, today: str) -> dict[str, Any]:
    """The report as JSON; amounts are whole micro-units of the currency."""
    approved = sum(one.made.approved for one in accounts.sessions)
    promoted = sum(one.made.promoted for one in accounts.sessions)
    busy = sum(one.paid_ms for one in accounts.sessions)
    idle = sum(one.duration_ms for one in accounts.idle)
    return {
        "schema": SCHEMA,
        "currency": rules.currency,
        "unit": "millionth",
        "total": accounts.cost,
        "paid_s": busy / 1000,
        "by_activity": _groups(accounts.sessions, lambda one: one.about.activity),
        "by_voice": _groups(accounts.sessions, lambda one: one.about.voice or _NO_VOICE),
        "by_day": budget.by_day(accounts),
        "approved_utterances": approved,
        "per_approved_utterance": _each(accounts.cost, approved),
        "promoted_voices": promoted,
        "per_promoted_voice": _each(accounts.cost, promoted),
        "idle_s": idle / 1000,
        "idle_cost": sum(gap.cost for gap in accounts.idle),
        "idle_share": idle / (idle + busy) if idle + busy else None,
        "open": sum(one.state == OPEN for one in accounts.sessions),
        "abandoned": sum(one.state == ABANDONED for one in accounts.sessions),
        "alerts": [{"kind": one.kind, "message": one.message, "next_step": one.next_step}
                   for one in budget.alerts(accounts, rules, today)],
        "notices": list(accounts.notices),
    }  # fmt: skip


def text(found: dict[str, Any]) -> str:
    """The report as people read it."""

    def amount(value: int | None) -> str:
        return "-" if value is None else money.text(value, found["currency"])

    lines = [f"total: {amount(found['total'])} for {found['paid_s'] / 3600:.3f} h"]
    for title, key in (("activity", "by_activity"), ("voice", "by_voice")):
        rows = [[cell(name), str(group["sessions"]), f"{group['paid_s'] / 3600:.3f}", amount(group["cost"])]
                for name, group in found[key].items()]  # fmt: skip
        lines += ["", table([title, "sessions", "hours", "cost"], rows)] if rows else []
    share = found["idle_share"]
    lines += [
        "",
        f"per approved utterance: {amount(found['per_approved_utterance'])} ({found['approved_utterances']})",
        f"per promoted voice: {amount(found['per_promoted_voice'])} ({found['promoted_voices']})",
        f"idle between sessions: {found['idle_s'] / 3600:.3f} h, {amount(found['idle_cost'])}, not in the total"
        + (f"; {100 * share:.0f} % of the time" if share is not None else ""),
        f"open: {found['open']}, abandoned (priced to their last sign of life): {found['abandoned']}",
    ]
    return "\n".join(lines)


def rows(accounts: Accounts) -> str:
    """One CSV row for each session, oldest first."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for one in accounts.sessions:
        proven = sum(each.end - each.start for each in one.stretches)
        writer.writerow(
            [one.id, *map(_cell, (one.about.activity, one.about.voice, one.about.run, one.began.machine, one.about.gpu)), one.began.at, one.state,
             proven / 1000, one.paid_ms / 1000, one.about.rate / money.MICRO, one.cost / money.MICRO, one.made.approved, one.made.promoted]
        )  # fmt: skip
    return out.getvalue()


def _cell(value: str | None) -> str:
    """A text that no spreadsheet takes for a formula."""
    shown = printable(value or "")
    return f"'{shown}" if shown[:1] in ("=", "+", "-", "@") else shown


def _groups(sessions: Iterable[CostSession], key: Callable[[CostSession], str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for one in sessions:
        group = found.setdefault(key(one), {"sessions": 0, "paid_s": 0.0, "cost": 0})
        group["sessions"] += 1
        group["paid_s"] += one.paid_ms / 1000
        group["cost"] += one.cost
    return dict(sorted(found.items(), key=lambda item: (-item[1]["cost"], item[0])))


def _each(cost: int, count: int) -> int | None:
    return round(cost / count) if count else None
