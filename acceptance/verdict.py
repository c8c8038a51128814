"""The verdict: a pure state machine from step results to exactly one outcome; it knows neither pytest nor Docker.

Rules, in this order:

1. A step's worst result counts: failed > blocked > skipped > passed. A later pass never hides an earlier failure.
2. The first failed step in the order of `steps.STEPS` decides, whatever the order in which results arrived. A hard stop (no Docker, a
   denied mount, a policy) goes before other failures: until it is lifted nothing later can be tried, whatever else is wrong.
3. Success needs a pass of every step. What was deselected, skipped or never collected makes the objective `blocked` without a class.
4. Guardrails (phase 0) are no part of success. One that the policy makes blocking takes success away when it fails or was not selected; it never
   replaces a failure of the objective itself. The others are advisory, and a skipped one changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from acceptance.failure import Failure
from acceptance.steps import ORDER, STEP, STEPS, is_asked, is_guardrail, optional_steps


class Outcome(IntEnum):
    """What became of a step; a higher value overrides a lower one."""

    # Its criterion holds.
    PASSED = 0
    # Somebody asked for it not to run, or a guardrail has nothing to look at; never a success, never a failure.
    SKIPPED = 1
    # A guardrail does not hold, and the policy does not make it blocking.
    ADVISORY = 2
    # Not decided, because an earlier step did not pass.
    BLOCKED = 3
    # Its criterion does not hold.
    FAILED = 4


class ObjectiveStatus(StrEnum):
    """The two answers that exist."""

    # Every step of every phase passed in this run.
    SUCCESS = "success"
    # Anything else.
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """One result of one step (a step may report several: call and teardown)."""

    step: str
    outcome: Outcome
    failure: Failure | None = None
    blocked_by: str | None = None

    def __post_init__(self) -> None:
        if self.step not in STEP:
            raise ValueError(f"unknown step {self.step!r}")
        if (self.outcome in (Outcome.FAILED, Outcome.ADVISORY)) != (self.failure is not None):
            raise ValueError(f"{self.step}: a failure needs its Failure, and nothing else has one")
        if self.outcome is Outcome.ADVISORY and not is_guardrail(self.step):
            raise ValueError(f"{self.step}: only a guardrail can be advisory")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The one answer, with the result that decided it."""

    status: ObjectiveStatus
    first_failed_step: str | None = None
    failure: Failure | None = None
    results: Mapping[str, StepResult] = field(default_factory=dict)
    """The counting result per step; a step without any is missing."""
    blocking: tuple[str, ...] = ()
    """The guardrails without which there is no success."""
    phases: frozenset[str] = frozenset()
    """The optional phases that are part of it."""

    @property
    def not_run(self) -> tuple[str, ...]:
        """Steps without a result or skipped, in order; of the guardrails, the blocking ones without a result."""
        return tuple(
            step
            for step in ORDER
            if is_asked(step, self.phases)
            and (
                (step not in self.results and (step in self.blocking or not is_guardrail(step)))
                or (step in self.results and self.results[step].outcome is Outcome.SKIPPED and not is_guardrail(step))
            )
        )


def exit_status_of(verdict: Verdict, *, pytests: int) -> int:
    """The session's exit status: pytest's own, but 0 only for success."""
    return 1 if pytests == 0 and verdict.status is not ObjectiveStatus.SUCCESS else pytests


def after_a_signal(verdict: Verdict, *, decided: bool) -> int:
    """The exit status after a signal: 2, except where every step was decided before it; then the result stands."""
    return int(verdict.failure is not None) if decided else 2


def worst_by_step(results: Iterable[StepResult]) -> dict[str, StepResult]:
    """The counting result of each step: the worst, and among equals the first that arrived."""
    worst: dict[str, StepResult] = {}
    for result in results:
        known = worst.get(result.step)
        if known is None or result.outcome > known.outcome:
            worst[result.step] = result
    return worst


def judge(
    results: Iterable[StepResult], *, blocking: Collection[str] = (), phases: frozenset[str] = frozenset()
) -> Verdict:
    """Exactly one verdict for any sequence of step results; `blocking`: ids of the guardrails that the policy lets block the objective.

    The steps of the optional `phases` must pass, too; those of others say nothing.
    """
    worst = worst_by_step(result for result in results if is_asked(result.step, phases))
    needed = tuple(step for step in ORDER if step in blocking)
    failed = [result for result in worst.values() if result.outcome is Outcome.FAILED]
    if failed:
        first = min(
            failed,
            key=lambda result: (
                not (result.failure and result.failure.hard_stop),
                is_guardrail(result.step),
                ORDER[result.step],
            ),
        )
        return Verdict(
            status=ObjectiveStatus.BLOCKED,
            first_failed_step=first.step,
            failure=first.failure,
            results=worst,
            blocking=needed,
            phases=phases,
        )
    wanted = (*STEPS, *optional_steps(phases))
    complete = all(step.id in worst and worst[step.id].outcome is Outcome.PASSED for step in wanted) and all(
        step in worst for step in needed
    )
    return Verdict(
        status=ObjectiveStatus.SUCCESS if complete else ObjectiveStatus.BLOCKED,
        results=worst,
        blocking=needed,
        phases=phases,
    )


def blocker_of(step: str, results: Iterable[StepResult]) -> str | None:
    """The earlier step that keeps `step` from being attempted, or None: a hard stop before it, else an unmet requirement."""
    worst = worst_by_step(results)
    for known in sorted(worst, key=ORDER.__getitem__):
        if ORDER[known] >= ORDER[step]:
            break
        failure = worst[known].failure
        if failure is not None and failure.hard_stop:
            return known
    for needed in STEP[step].requires:
        result = worst.get(needed)
        if result is None:  # it was not selected: what it would have needed counts instead
            blocker = blocker_of(needed, worst.values())
            if blocker is not None:
                return blocker
        elif result.outcome is Outcome.FAILED:
            return needed
        elif result.outcome is Outcome.BLOCKED:
            return result.blocked_by or needed
    return None


def consequence_of(step: str, results: Iterable[StepResult]) -> str | None:
    """The failed earlier step of which a failure of `step` is only the consequence, or None."""
    worst = worst_by_step(results)
    for earlier in STEP[step].follows:
        if earlier in worst and worst[earlier].outcome is Outcome.FAILED:
            return earlier
    return None
