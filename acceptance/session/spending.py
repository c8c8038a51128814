"""What a session spends: its budget is asked before it trains or produces, and the time of both goes into the cost log."""

from __future__ import annotations

from contextlib import AbstractContextManager

from acceptance.costs.spending import Spending
from acceptance.costs.tracker import Tally
from acceptance.failure import EnvironmentBlocked
from acceptance.session.run_session import RunSession


def require_budget(run: RunSession) -> None:
    """Raises EnvironmentBlocked(budget_spent) where the policy's budget is; a log that cannot be read is a warning."""
    alert = _of(run).over_budget()
    if alert is not None:
        raise EnvironmentBlocked(alert.message, cause="budget_spent")


def tracked(run: RunSession, activity: str) -> AbstractContextManager[Tally]:
    """The time of the block as a session of the cost log; with --no-cost nothing is written."""
    return _of(run).tracked(activity, voice=run.settings.name, run=run.record.run_id)


def _of(run: RunSession) -> Spending:
    return Spending(workspace=run.workspace, rules=run.policy.cost, warn=run.recorder.warn, tracks=run.tracks_costs)
