"""What a cost log comes to: by activity, by voice, per piece, and how much of it was idle; as text, JSON and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from acceptance.costs import budget, money
from acceptance.costs.events import Made
from acceptance.costs.totals import ABANDONED, OPEN, Accounts, CostSession
from acceptance.policy.sections import CostPolicy
from trainer.files.markdown import cell, table
from trainer.files.printable import printable

SCHEMA = "cost_report/1"
_NO_VOICE = "(none)"
ACTIVITY_HEADINGS = ("activity", "sessions", "hours", "cost")
VOICE_HEADINGS = ("voice", *ACTIVITY_HEADINGS[1:], "approved", "for each", "promoted", "for each")
_COLUMNS = ("session", "activity", "voice", "run", "machine", "gpu", "began", "state", "proven_s", "paid_s", "rate_per_hour",
            "cost", "approved", "promoted")  # fmt: skip
SIGN = ",".join(_COLUMNS).encode()
"""With it begins every table that `rows` has made."""


def document(accounts: Accounts, rules: CostPolicy, today: str) -> dict[str, Any]:
    """The report as JSON; amounts are whole micro-units of the currency."""
    busy = sum(one.paid_ms for one in accounts.sessions)
    idle = sum(one.duration_ms for one in accounts.idle)
    return {
        "schema": SCHEMA,
        "currency": rules.currency,
        "unit": "millionth",
        "total": accounts.cost,
        "paid_s": busy / 1000,
        "by_activity": {name: _sums(group) for name, group in _groups(accounts, lambda one: one.about.activity)},
        "by_voice": {name: {**_sums(group), **_each(group)} for name, group in _groups(accounts, lambda one: one.about.voice or _NO_VOICE)},
        "by_day": budget.by_day(accounts),
        **_each(accounts.sessions),
        "idle_s": idle / 1000,
        "idle_cost": sum(gap.cost for gap in accounts.idle),
        "idle_share": idle / (idle + busy) if idle + busy else None,
        "open": sum(one.state == OPEN for one in accounts.sessions),
        "abandoned": sum(one.state == ABANDONED for one in accounts.sessions),
        "alerts": [asdict(one) for one in budget.alerts(accounts, rules, today)],
        "notices": list(accounts.notices),
    }  # fmt: skip


def amount(found: dict[str, Any], value: int | None) -> str:
    """An amount of a report as people read it."""
    return "-" if value is None else money.text(value, found["currency"])


def text(found: dict[str, Any]) -> str:
    """The report as people read it."""
    lines = [f"total: {amount(found, found['total'])} for {found['paid_s'] / 3600:.3f} h"]
    for key, headings in (("by_activity", ACTIVITY_HEADINGS), ("by_voice", VOICE_HEADINGS)):
        rows = [[cell(row[0]), *row[1:]] for row in group_rows(found, key)]
        lines += ["", table(headings, rows)] if rows else []
    share = found["idle_share"]
    lines += [
        "",
        f"per approved utterance: {amount(found, found['per_approved_utterance'])} ({found['approved_utterances']})",
        f"per promoted voice: {amount(found, found['per_promoted_voice'])} ({found['promoted_voices']})",
        f"idle between sessions: {found['idle_s'] / 3600:.3f} h, {amount(found, found['idle_cost'])}, not in the total"
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
        proven, made = sum(each.end - each.start for each in one.stretches), one.made or Made()
        writer.writerow(
            [one.id, *map(_cell, (one.about.activity, one.about.voice, one.about.run, one.began.machine, one.about.gpu)), one.began.at, one.state,
             proven / 1000, one.paid_ms / 1000, one.about.rate / money.MICRO, one.cost / money.MICRO, made.approved, made.promoted]
        )  # fmt: skip
    return out.getvalue()


def _cell(value: str | None) -> str:
    """A text that no spreadsheet takes for a formula."""
    shown = printable(value or "")
    return f"'{shown}" if shown[:1] in ("=", "+", "-", "@") else shown


def group_rows(found: dict[str, Any], key: str) -> list[list[str]]:
    """The rows of `by_activity` or `by_voice`, under their headings."""
    rows = []
    for name, group in found[key].items():
        row = [name, str(group["sessions"]), f"{group['paid_s'] / 3600:.3f}", amount(found, group["cost"])]
        if key == "by_voice":
            row += [str(group["approved_utterances"]), amount(found, group["per_approved_utterance"])]
            row += [str(group["promoted_voices"]), amount(found, group["per_promoted_voice"])]
        rows.append(row)
    return rows


def _groups(accounts: Accounts, key: Callable[[CostSession], str]) -> list[tuple[str, list[CostSession]]]:
    """Sessions by name, the dearest group first."""
    found: dict[str, list[CostSession]] = {}
    for one in accounts.sessions:
        found.setdefault(key(one), []).append(one)
    return sorted(found.items(), key=lambda item: (-_cost(item[1]), item[0]))


def _sums(sessions: Sequence[CostSession]) -> dict[str, Any]:
    return {"sessions": len(sessions), "paid_s": sum(one.paid_ms for one in sessions) / 1000, "cost": _cost(sessions)}


def _each(sessions: Sequence[CostSession]) -> dict[str, int | None]:
    """What came out of sessions, and all that they cost for each piece of it."""
    told = {made.of or one.id: made for one in sessions if (made := one.made) is not None}
    cost = _cost(sessions)
    found: dict[str, int | None] = {}
    for name, count in (
        ("approved_utterance", sum(made.approved for made in told.values())),
        ("promoted_voice", sum(made.promoted for made in told.values())),
    ):
        found |= {f"{name}s": count, f"per_{name}": round(cost / count) if count else None}
    return found


def _cost(sessions: Sequence[CostSession]) -> int:
    return sum(one.cost for one in sessions)
