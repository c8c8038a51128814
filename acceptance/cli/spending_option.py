"""`--no-cost` of the commands that track themselves, and the budget that is asked before they begin."""

from __future__ import annotations

from pathlib import Path

import click

from acceptance.costs.spending import Spending
from acceptance.failure import HarnessError
from acceptance.policy import Policy
from trainer.files.printable import notice_line

no_cost_option = click.option("--no-cost", is_flag=True, help="Keep no account of it, and ask no budget.")


def spending(workspace: Path, policy: Policy, *, tracks: bool) -> Spending:
    """The account of a command; trouble with its log is a notice on stderr."""
    return Spending(
        workspace=workspace, rules=policy.cost, warn=lambda text: click.echo(notice_line(text), err=True), tracks=tracks
    )


def require_budget(found: Spending) -> None:
    """Raises HarnessError(budget_spent) where the policy's budget is."""
    alert = found.over_budget()
    if alert is not None:
        raise HarnessError(f"{alert.message}; {alert.next_step}; --no-cost asks no budget", cause="budget_spent")
