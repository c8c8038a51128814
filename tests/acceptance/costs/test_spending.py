"""Paid work asks its budget, if it keeps an account at all; trouble with the log is told and ends nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from acceptance.costs import tracker
from acceptance.costs.events import About, Made
from acceptance.costs.spending import Spending
from acceptance.costs.totals import STOPPED
from acceptance.policy.sections import CostPolicy

SPENT = CostPolicy(total_budget=0.000001)


@pytest.fixture
def spending(tmp_path: Path) -> Spending:
    """Of a workspace where a millionth was spent, which is the whole budget."""
    log = tmp_path / tracker.LOG
    session = tracker.start(log, About(activity="earlier", rate=10**12, heartbeat_s=30))
    while not tracker.read(log).cost:
        tracker.heartbeat(log, session)
    tracker.stop(log, session)
    return Spending(workspace=tmp_path, rules=SPENT, warn=pytest.fail)


def test_a_spent_budget_is_an_alert_and_one_that_is_not_or_is_none_is_not(spending: Spending) -> None:
    alert = spending.over_budget()
    assert alert is not None and alert.kind == "total_budget"
    assert replace(spending, rules=CostPolicy(total_budget=1000.0)).over_budget() is None
    assert replace(spending, rules=CostPolicy()).over_budget() is None


def test_without_an_account_nothing_is_asked_and_nothing_is_written(spending: Spending) -> None:
    quiet, log = replace(spending, tracks=False), spending.workspace / tracker.LOG
    before = log.read_bytes()
    assert quiet.over_budget() is None
    with quiet.tracked("production") as tally:
        tally.made = Made(approved=1)
    assert log.read_bytes() == before


def test_a_block_is_a_session_that_says_what_it_is_for_and_what_it_made(spending: Spending) -> None:
    with spending.tracked("production", voice="ann", run="batch") as tally:
        tally.made = Made(approved=2, of="plan")
    found = tracker.read(spending.workspace / tracker.LOG).sessions[-1]
    assert (found.about.activity, found.about.voice, found.about.run) == ("production", "ann", "batch")
    assert (found.state, found.made) == (STOPPED, Made(approved=2, of="plan"))


def test_a_log_that_cannot_be_read_checks_no_budget_and_is_told(tmp_path: Path) -> None:
    (tmp_path / tracker.LOG).mkdir(parents=True)
    told: list[str] = []
    assert Spending(workspace=tmp_path, rules=SPENT, warn=told.append).over_budget() is None
    assert len(told) == 1 and told[0].startswith("the budget is not checked")
