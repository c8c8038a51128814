"""A session tracks its own training, and does not begin one that the budget does not cover."""

from __future__ import annotations

import os
import signal
import time

import pytest

from acceptance.costs import clock, tracker
from acceptance.costs.events import About
from acceptance.costs.totals import STOPPED
from tests.acceptance.sessions.conftest import Bench

OUT_OF_BUDGET = ("phase_3_readiness.container_started", "budget_spent")


def spend(bench: Bench) -> None:
    """A thousandth of a dollar at least."""
    log = bench.workspace / tracker.LOG
    session = tracker.start(log, About(activity="earlier", rate=10**12, heartbeat_s=30))
    while tracker.read(log).cost < 1000:
        tracker.heartbeat(log, session)
    tracker.stop(log, session)


def test_the_time_of_the_training_is_in_the_log_within_a_tenth_of_a_second(bench: Bench) -> None:
    session = bench.run("-q")
    (found,) = tracker.read(bench.workspace / tracker.LOG).sessions
    assert (found.about.activity, found.about.voice, found.about.run) == ("training", "tiny", session.run_id)
    assert found.state == STOPPED
    assert session.report is not None
    assert found.paid_ms / 1000 == pytest.approx(session.report["facts"]["job"]["seconds"], abs=0.1)


def test_no_cost_writes_no_log(bench: Bench) -> None:
    assert bench.run("-q", "--no-cost").block["objective_status"] == "success"
    assert not (bench.workspace / tracker.LOG).exists()


def test_a_spent_budget_starts_no_training(bench: Bench) -> None:
    spend(bench)
    session = bench.run("-q", "--threshold", "cost.total_budget=0.001")
    assert session.decision == ("environment_blocked", *OUT_OF_BUDGET)
    assert session.block["next_unblock_action"].endswith("voice cost report")
    assert not bench.outputs()
    assert len(tracker.read(bench.workspace / tracker.LOG).sessions) == 1


def test_a_log_that_cannot_be_used_is_a_warning_and_the_run_goes_on(bench: Bench) -> None:
    (bench.workspace / tracker.LOG).mkdir(parents=True)
    session = bench.run("-q", "--threshold", "cost.total_budget=0.001")
    assert session.block["objective_status"] == "success", session.stdout
    assert session.report is not None
    told = [one.partition(":")[0] for one in session.report["warnings"]]
    assert told.count("the budget is not checked") == told.count("costs are not tracked") == 1


def test_a_cycle_that_is_killed_in_its_training_costs_up_to_one_heartbeat_before(bench: Bench) -> None:
    process = bench.start("--full-cycle", "--threshold", "cost.heartbeat_s=1", "--set", "env.TINY_MODE=hang")
    bench.running_job(process)
    time.sleep(2.5)
    killed = clock.now().uptime_ms
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    whole, training = tracker.read(bench.workspace / tracker.LOG).sessions
    assert (whole.about.activity, training.about.activity) == ("full cycle", "training")
    lived, paid = killed - whole.began.uptime_ms, whole.paid_ms + training.paid_ms
    assert lived > 2500 and 0 <= lived - paid <= 1100, "one heartbeat is a second"
