"""The verdict is total and cannot be talked out of a failure: properties over every sequence of step results."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acceptance.causes import CAUSES
from acceptance.failure import Failure
from acceptance.steps import (
    EVALUATION,
    FULL_CYCLE,
    GUARDRAILS,
    ORDER,
    PRODUCTION,
    PRODUCTION_PHASE,
    PROMOTION,
    STEP,
    STEPS,
    Step,
    optional_steps,
)
from acceptance.verdict import (
    ObjectiveStatus,
    Outcome,
    StepResult,
    after_a_signal,
    blocker_of,
    consequence_of,
    exit_status_of,
    judge,
    worst_by_step,
)

IDS = [step.id for step in STEPS]


def failed(step: str, cause: str = "unclassified") -> StepResult:
    cls = CAUSES[cause].failure_class or STEP[step].stage
    return StepResult(step=step, outcome=Outcome.FAILED, failure=Failure(failure_class=cls, cause=cause, message="m"))


def passed(step: str) -> StepResult:
    return StepResult(step=step, outcome=Outcome.PASSED)


plain = st.builds(
    StepResult, step=st.sampled_from(IDS), outcome=st.sampled_from([Outcome.PASSED, Outcome.SKIPPED, Outcome.BLOCKED])
)
failures = st.builds(failed, st.sampled_from(IDS), st.sampled_from(sorted(CAUSES)))
sequences = st.lists(st.one_of(plain, failures), max_size=40)


@given(sequences, st.integers(0, 5))
def test_the_exit_status_is_0_for_success_alone(results: list[StepResult], pytests: int) -> None:
    verdict = judge(results)
    status = exit_status_of(verdict, pytests=pytests)
    assert (status == 0) == (pytests == 0 and verdict.status is ObjectiveStatus.SUCCESS)
    assert status in (pytests, 1)


@given(sequences)
def test_a_signal_gives_2_unless_all_was_decided(results: list[StepResult]) -> None:
    verdict = judge(results)
    assert after_a_signal(verdict, decided=False) == 2
    assert after_a_signal(verdict, decided=True) == (verdict.failure is not None)


@given(sequences)
def test_every_sequence_of_results_has_exactly_one_verdict(results: list[StepResult]) -> None:
    verdict = judge(results)
    assert verdict == judge(list(results))
    assert verdict.status in ObjectiveStatus
    assert (verdict.failure is None) == (verdict.first_failed_step is None)
    if verdict.failure is not None:
        assert verdict.status is ObjectiveStatus.BLOCKED
        assert verdict.failure in [result.failure for result in results if result.step == verdict.first_failed_step]


@given(sequences.filter(lambda results: any(result.failure for result in results)))
def test_the_first_failure_wins_and_a_hard_stop_goes_before_others(results: list[StepResult]) -> None:
    failures_found = [result for result in results if result.failure is not None]
    counted = [result for result in worst_by_step(results).values() if result.failure is not None]
    hard = [result for result in counted if result.failure.hard_stop]
    assert judge(results).first_failed_step == min(
        (result.step for result in hard or failures_found), key=ORDER.__getitem__
    )


@given(sequences, st.lists(plain.filter(lambda result: result.outcome is Outcome.PASSED)))
def test_a_later_pass_never_hides_an_earlier_failure(results: list[StepResult], passes: list[StepResult]) -> None:
    before, after = judge(results), judge([*results, *passes])
    assert after.failure == before.failure
    assert after.first_failed_step == before.first_failed_step


@given(st.sets(st.sampled_from(IDS)), st.sets(st.sampled_from(IDS)))
def test_success_needs_a_pass_of_every_step_and_nothing_else(chosen: set[str], spoiled: set[str]) -> None:
    results = [passed(step) for step in chosen]
    expected = chosen == set(IDS)
    assert (judge(results).status is ObjectiveStatus.SUCCESS) == expected
    assert set(judge(results).not_run) == set(IDS) - chosen
    for outcome in (Outcome.SKIPPED, Outcome.BLOCKED):
        mixed = [*results, *(StepResult(step=step, outcome=outcome) for step in spoiled)]
        assert (judge(mixed).status is ObjectiveStatus.SUCCESS) == (expected and not spoiled)


@pytest.mark.parametrize("missing", IDS)
def test_all_steps_but_one_are_no_success(missing: str) -> None:
    verdict = judge(passed(step) for step in IDS if step != missing)
    assert (verdict.status, verdict.failure, verdict.not_run) == (ObjectiveStatus.BLOCKED, None, (missing,))


@given(
    st.lists(st.one_of(plain, failures), unique_by=lambda result: result.step).flatmap(
        lambda rs: st.tuples(st.just(rs), st.permutations(rs))
    )
)
def test_the_order_of_results_of_different_steps_does_not_matter(
    pair: tuple[list[StepResult], list[StepResult]],
) -> None:
    results, shuffled = pair
    assert judge(results) == judge(shuffled)


@given(st.sampled_from(IDS), sequences)
def test_only_an_earlier_step_that_did_not_pass_blocks(step: str, results: list[StepResult]) -> None:
    blocker = blocker_of(step, results)
    worst = worst_by_step(results)
    if blocker is not None:
        assert ORDER[blocker] < ORDER[step]
        assert worst[blocker].outcome in (Outcome.FAILED, Outcome.BLOCKED)
    hard_before = [r for r in worst.values() if r.failure and r.failure.hard_stop and ORDER[r.step] < ORDER[step]]
    assert not hard_before or blocker == min((r.step for r in hard_before), key=ORDER.__getitem__)
    earlier = consequence_of(step, results)
    assert earlier is None or worst[earlier].outcome is Outcome.FAILED


def test_a_step_without_a_result_hands_on_what_blocks_it() -> None:
    results = [failed("phase_3_readiness.container_started", "container_create_failed")]
    assert blocker_of("phase_4_artifacts.learned", results) == "phase_3_readiness.container_started"


@given(st.sampled_from(IDS), st.lists(plain.filter(lambda result: result.outcome < Outcome.BLOCKED)))
def test_nothing_is_blocked_while_nothing_failed(step: str, results: list[StepResult]) -> None:
    assert blocker_of(step, results) is None
    assert consequence_of(step, results) is None


@pytest.mark.parametrize("outcome", [Outcome.PASSED, Outcome.SKIPPED, Outcome.BLOCKED])
def test_only_failures_carry_a_failure_and_all_of_them_do(outcome: Outcome) -> None:
    with pytest.raises(ValueError, match="a failure needs its Failure"):
        StepResult(step=IDS[0], outcome=outcome, failure=failed(IDS[0]).failure)
    with pytest.raises(ValueError, match="a failure needs its Failure"):
        StepResult(step=IDS[0], outcome=Outcome.FAILED)


def test_a_step_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown step"):
        passed("phase_9_nothing.at_all")


GUARDS = [step.id for step in GUARDRAILS]
ALL_PASSED = [passed(step) for step in IDS]
guard_failures = st.builds(failed, st.sampled_from(GUARDS), st.sampled_from(["guardrail_failed", "internal_error"]))
guard_results = st.lists(
    st.builds(StepResult, step=st.sampled_from(GUARDS), outcome=st.sampled_from([Outcome.PASSED, Outcome.SKIPPED]))
    | guard_failures.map(lambda result: StepResult(step=result.step, outcome=Outcome.ADVISORY, failure=result.failure)),
    max_size=30,
)


@given(sequences, guard_results)
def test_guardrails_that_do_not_block_change_nothing(results: list[StepResult], guards: list[StepResult]) -> None:
    with_them, without = judge([*guards, *results]), judge(results)
    assert (with_them.status, with_them.failure, with_them.first_failed_step) == (
        without.status,
        without.failure,
        without.first_failed_step,
    )
    assert with_them.not_run == without.not_run


@given(sequences.filter(lambda results: any(result.failure for result in results)), st.lists(guard_failures))
def test_a_blocking_guardrail_never_replaces_a_failure_of_the_objective(
    results: list[StepResult], guards: list[StepResult]
) -> None:
    assert judge([*guards, *results], blocking=GUARDS).first_failed_step == judge(results).first_failed_step


@pytest.mark.parametrize("guard", GUARDS)
def test_a_blocking_guardrail_takes_success_away_when_it_fails_or_was_not_selected_but_not_when_skipped(
    guard: str,
) -> None:
    broken = judge([*ALL_PASSED, failed(guard, "guardrail_failed")], blocking=[guard])
    assert (broken.status, broken.first_failed_step) == (ObjectiveStatus.BLOCKED, guard)
    unasked = judge(ALL_PASSED, blocking=[guard])
    assert (unasked.status, unasked.failure, unasked.not_run) == (ObjectiveStatus.BLOCKED, None, (guard,))
    for outcome in (Outcome.PASSED, Outcome.SKIPPED):
        assert (
            judge([*ALL_PASSED, StepResult(step=guard, outcome=outcome)], blocking=[guard]).status
            is ObjectiveStatus.SUCCESS
        )


def test_only_a_guardrail_can_be_advisory() -> None:
    with pytest.raises(ValueError, match="only a guardrail"):
        StepResult(step=IDS[0], outcome=Outcome.ADVISORY, failure=failed(IDS[0]).failure)


EVERYTHING = [passed(step) for step in IDS]
PRODUCTION_ALONE = frozenset({PRODUCTION_PHASE})
PRODUCED = [passed(step.id) for step in PRODUCTION]


def test_a_production_is_part_of_success_only_where_it_is_asked_for() -> None:
    assert judge(EVERYTHING).status is ObjectiveStatus.SUCCESS and judge(EVERYTHING).not_run == ()
    asked = judge(EVERYTHING, phases=PRODUCTION_ALONE)
    assert asked.status is ObjectiveStatus.BLOCKED and asked.not_run == tuple(step.id for step in PRODUCTION)
    assert judge([*EVERYTHING, *PRODUCED], phases=PRODUCTION_ALONE).status is ObjectiveStatus.SUCCESS


@pytest.mark.parametrize("step", [step.id for step in PRODUCTION])
def test_a_failed_production_decides_after_every_other_failure(step: str) -> None:
    found = judge([*EVERYTHING, *PRODUCED, failed(step)], phases=PRODUCTION_ALONE)
    assert (found.status, found.first_failed_step) == (ObjectiveStatus.BLOCKED, step)
    assert judge([failed(step), failed(IDS[-1])], phases=PRODUCTION_ALONE).first_failed_step == IDS[-1]


def test_a_full_cycle_needs_evaluation_and_promotion_and_says_nothing_of_a_production() -> None:
    done = [*EVERYTHING, *(passed(step.id) for step in optional_steps(FULL_CYCLE))]
    assert judge(EVERYTHING, phases=FULL_CYCLE).not_run == tuple(step.id for step in optional_steps(FULL_CYCLE))
    assert judge(done, phases=FULL_CYCLE).status is ObjectiveStatus.SUCCESS
    assert judge([*done, failed(PRODUCTION[0].id)], phases=FULL_CYCLE).status is ObjectiveStatus.SUCCESS
    assert judge(done, phases=FULL_CYCLE | PRODUCTION_ALONE).not_run == tuple(step.id for step in PRODUCTION)


@pytest.mark.parametrize("bad", PRODUCTION, ids=lambda step: step.check)
def test_a_production_that_failed_keeps_its_voice_out_of_use_and_one_that_nobody_asked_for_does_not(bad: Step) -> None:
    evaluated = [*EVERYTHING, *(passed(step.id) for step in EVALUATION)]
    assert blocker_of(PROMOTION[0].id, evaluated) is None
    produced = [passed(step.id) for step in PRODUCTION if ORDER[step.id] < ORDER[bad.id]]
    later = [
        StepResult(step=step.id, outcome=Outcome.BLOCKED, blocked_by=bad.id)
        for step in PRODUCTION
        if ORDER[step.id] > ORDER[bad.id]
    ]
    assert blocker_of(PROMOTION[0].id, [*evaluated, *produced, failed(bad.id), *later]) == bad.id


@pytest.mark.parametrize("missing", IDS)
def test_nothing_is_produced_before_every_other_step_has_passed(missing: str) -> None:
    assert (
        blocker_of(PRODUCTION[0].id, [*(passed(step) for step in IDS if step != missing), failed(missing)]) == missing
    )
