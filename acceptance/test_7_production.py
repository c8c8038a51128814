"""Phase 7, only with --production: the certified voice speaks prompts, and every clip is judged, sorted and reported."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from acceptance.causes import FailureClass
from acceptance.costs.events import Made
from acceptance.costs.tracker import Tally
from acceptance.failure import TrainFailed
from acceptance.session import spending
from acceptance.session.production_fixtures import SessionBatch
from acceptance.session.run_session import RunSession

if TYPE_CHECKING:
    from acceptance.production.batch import Planned
    from acceptance.production.planning import PromptList
    from acceptance.production.report import Summary
    from trainer.production.plan import Plan

pytestmark = pytest.mark.order(7)


@pytest.fixture(scope="module")
def prompts(batch: SessionBatch) -> PromptList:
    """The prompts, in the batch's folder."""
    from acceptance.production import batch as batches
    from acceptance.session.step_failures import as_step_failures

    with as_step_failures(FailureClass.DATA_BLOCKED):
        return batches.read_prompts(batch.request)


@pytest.fixture(scope="module")
def tally(run: RunSession, prompts: PromptList) -> Iterator[Tally]:
    """The cost of this phase, from its health check to its end."""
    spending.require_budget(run)
    with spending.tracked(run, "production") as found:
        yield found


@pytest.fixture(scope="module")
def planned(run: RunSession, batch: SessionBatch, prompts: PromptList, tally: Tally) -> Planned:
    """The plan, made when every health check holds, and how many processes the memory has room for."""
    from acceptance.production import batch as batches
    from acceptance.session.step_failures import as_step_failures

    fewer = min(batch.request.processes, prompts.prompts.count)
    request = replace(batch.request, wanted=replace(batch.request.wanted, shards=fewer))
    with as_step_failures(FailureClass.ENVIRONMENT_BLOCKED):
        found = batches.planned_anew(
            request, batch.voice(), prompts, lambda check: batch.tell(f"  production: {check.name}: {check.found}")
        )
    run.recorder.fact("production", {"plan_sha256": found.plan.sha256, "prompts": prompts.prompts.count})
    return found


@pytest.fixture(scope="module")
def plan(planned: Planned) -> Plan:
    """The plan."""
    return planned.plan


@pytest.fixture(scope="module")
def summary(batch: SessionBatch, plan: Plan) -> Summary:
    """Every take judged by the policy and put where it goes."""
    from acceptance.production import batch as batches
    from acceptance.session.step_failures import as_step_failures

    with as_step_failures(FailureClass.TRAIN_FAILED):
        return batches.sort(batch.request.batch, plan, batch.request.policy)


def test_prompts_readable(run: RunSession, prompts: PromptList) -> None:
    """The prompts can be read, and at least one can be spoken; what is left out is a warning."""
    assert prompts.prompts.count > 0
    if prompts.left_out.count:
        run.recorder.warn(f"{prompts.left_out.count} prompts are not spoken; left_out.jsonl of the batch says why")


def test_health_check(plan: Plan) -> None:
    """Voice, record, consent, reference, evaluators, disk and memory hold, before anything is made."""
    assert plan.checkpoint_sha256


def test_clips_made(batch: SessionBatch, plan: Plan, planned: Planned) -> None:
    """Every take of every prompt is spoken and judged; one that cannot be is written down and does not end the batch."""
    from acceptance.production import batch as batches
    from acceptance.production import batch_timing
    from acceptance.session.step_failures import as_step_failures

    folder, engine = batch.request.batch, batch.engine(planned.processes)
    with as_step_failures(FailureClass.RUNTIME_BLOCKED), batch_timing.measured(folder, engine.name):
        shards = range(1, plan.shards + 1)
        total = plan.prompts.count * plan.takes
        engine.run(folder, shards, on_take=batch.on_take(total))
        assert not batches.missing(folder, plan)


def test_clips_judged(batch: SessionBatch, plan: Plan) -> None:
    """Every take has its row, and every clip is the one that was judged."""
    from acceptance.production import batch as batches
    from acceptance.session.step_failures import as_step_failures

    with as_step_failures(FailureClass.RUNTIME_BLOCKED):
        batches.prove(batch.request.batch, plan)


def test_clips_sorted(run: RunSession, summary: Summary, plan: Plan, tally: Tally) -> None:
    """Every take is approved, rejected or in quarantine, with its reason; at least one is approved."""
    counts = summary.counts(plan.left_out.count)
    tally.made = Made(approved=counts["approved"], of=plan.sha256)
    run.recorder.fact("production", {**run.record.facts["production"], "counts": counts})
    if not counts["approved"]:
        reasons = ", ".join(f"{kind}: {count}" for kind, count in summary.reasons.most_common())
        raise TrainFailed(
            f"none of {counts['generated']} clips was approved", cause="production_empty", reasons=reasons
        )
    share = 1 - counts["approved"] / counts["generated"]
    if share > run.policy.production.max_rejected_share:
        run.recorder.warn(
            f"{share:.0%} of the clips of the production are not approved (production.max_rejected_share)"
        )


def test_batch_reported(batch: SessionBatch, plan: Plan, summary: Summary) -> None:
    """The report of the batch is written, for programs and for people, and counts every take once."""
    from acceptance.production import batch as batches
    from acceptance.session.step_failures import as_step_failures

    with as_step_failures(FailureClass.ENVIRONMENT_BLOCKED):
        found: dict[str, Any] = batches.summed_up(batch.request.batch, plan, batch.request.policy, summary)
    assert found["counts"]["generated"] == plan.prompts.count * plan.takes
