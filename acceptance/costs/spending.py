"""What paid work asks and tells: whether its budget is spent before it begins, and its time in the cost log while it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from acceptance.costs import budget, machine, tracker
from acceptance.costs.budget import Alert
from acceptance.failure import HarnessError
from acceptance.policy.sections import CostPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """The cost log of a workspace and the prices of a policy; trouble with the log goes to `warn` and never ends the work."""

    workspace: Path
    rules: CostPolicy
    warn: Callable[[str], None]
    tracks: bool = True
    """Without it nothing is asked and nothing is written."""

    def over_budget(self) -> Alert | None:
        """What is too much for the work to begin; a log that cannot be read is a warning."""
        if not (self.rules.total_budget and self.tracks):
            return None
        try:
            return budget.over_total(tracker.read(self.workspace / tracker.LOG), self.rules)
        except HarnessError as error:
            self.warn(f"the budget is not checked: {error}")
            return None

    @contextmanager
    def tracked(self, activity: str, *, voice: str | None = None, run: str | None = None) -> Iterator[tracker.Tally]:
        """The time of the block as a session of the cost log."""
        if not self.tracks:
            yield tracker.Tally()
            return
        about = machine.about(activity, self.rules, voice=voice, run=run)
        with tracker.tracked(self.workspace / tracker.LOG, about, warn=self.warn) as tally:
            yield tally
