"""What a session spends: its budget is asked before it trains, and the time of its training goes into the cost log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from acceptance.costs import budget, machine, tracker
from acceptance.failure import EnvironmentBlocked, HarnessError
from acceptance.session.run_session import RunSession


def require_budget(run: RunSession) -> None:
    """Raises EnvironmentBlocked(budget_spent) where the policy's budget is; a log that cannot be read is a warning."""
    rules = run.policy.cost
    if not (rules.total_budget and run.tracks_costs):
        return
    try:
        alert = budget.over_total(tracker.read(run.workspace / tracker.LOG), rules)
    except HarnessError as error:
        run.recorder.warn(f"the budget is not checked: {error}")
        return
    if alert is not None:
        raise EnvironmentBlocked(alert.message, cause="budget_spent")


@contextmanager
def tracked(run: RunSession, activity: str) -> Iterator[tracker.Tally]:
    """The time of the block as a session of the cost log; with --no-cost nothing is written."""
    if not run.tracks_costs:
        yield tracker.Tally()
        return
    about = machine.about(activity, run.policy.cost, voice=run.settings.name, run=run.record.run_id)
    with tracker.tracked(run.workspace / tracker.LOG, about, warn=run.recorder.warn) as tally:
        yield tally
