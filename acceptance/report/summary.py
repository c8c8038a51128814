"""The picture above the report: one line per phase, what was not decided, and where to look."""

from __future__ import annotations

from pathlib import Path

from acceptance.failure import action_for
from acceptance.record.record import RunRecord
from acceptance.report.block import one_line
from acceptance.steps import ALL_STEPS, GUARDRAILS, PHASES, STEP, STEPS, optional_steps, phases_with
from acceptance.verdict import Outcome, StepResult

PAGE = "report.html"
"""The run's page for people, in the run's directory."""
_SIGN = {Outcome.PASSED: ".", Outcome.FAILED: "F", Outcome.BLOCKED: "b", Outcome.SKIPPED: "s", Outcome.ADVISORY: "!"}
"""pytest's own letters, so that one screen has one alphabet; what has none there is `i` for interrupted and `-` for not run."""


def render(record: RunRecord, run_dir: Path) -> str:
    """A short table of the phases, the warnings, the runtime and the run's directory."""
    results = record.whole_verdict().results
    carried = f", = passed in run {record.carried_from}" if record.carried else ""
    lines = [
        f"voice acceptance   (. passed, F failed, b blocked, i interrupted, ! advisory, s skipped, - not run{carried})"
    ]
    asked = optional_steps(record.phases)
    width = max(sum(step.phase == phase for step in ALL_STEPS) for phase in PHASES)
    for phase in phases_with(record.phases):
        steps = [step for step in (*ALL_STEPS, *asked) if step.phase == phase]
        signs = "".join("=" if step.id in record.carried else _sign(results.get(step.id)) for step in steps)
        failed = [step.check for step in steps if step.id in results and results[step.id].failure is not None]
        seconds = sum(record.seconds.get(step.id, 0.0) for step in steps)
        lines.append(f"  {phase:<20} {signs:<{width}} {seconds:8.1f} s  {', '.join(failed)}".rstrip())
    lines += _guardrails(record)
    lines += _further(record)
    lines += _learning(record)
    lines += [f"  warning: {message}" for message in record.warnings]
    runtime = record.facts.get("runtime")
    if isinstance(runtime, dict):
        lines.append(f"runtime: {runtime.get('name')} (network: {runtime.get('network', 'unknown')})")
    lines.append(f"run: {run_dir}")
    if (run_dir / PAGE).is_file():
        lines.append(f"page: {run_dir / PAGE}")
    return "\n".join(map(one_line, lines))


def _sign(result: StepResult | None) -> str:
    if result is None:
        return "-"
    return "i" if result.failure is not None and result.failure.failure_class is None else _SIGN[result.outcome]


def _guardrails(record: RunRecord) -> list[str]:
    """What each guardrail found, and why some had nothing to look at."""
    results = record.whole_verdict().results
    found = [results[step.id] for step in GUARDRAILS if step.id in results]
    lines = [
        f"  {one.outcome.name.lower()}: {STEP[one.step].check}: {one.failure.message}"
        for one in found
        if one.failure is not None
    ]
    reasons: dict[str, list[str]] = {}
    for step in GUARDRAILS:
        if f"skipped.{step.id}" in record.facts:
            reasons.setdefault(str(record.facts[f"skipped.{step.id}"]), []).append(step.check)
    return lines + [f"  skipped: {', '.join(checks)}: {reason}" for reason, checks in reasons.items()]


def _further(record: RunRecord) -> list[str]:
    """Failures beside the one that the report names: each has a cause and a next step of its own."""
    verdict, fields = record.whole_verdict(), record.session.get("action_fields", {})
    failed = [
        verdict.results[step.id]
        for step in (*STEPS, *optional_steps(record.phases))
        if step.id in verdict.results and step.id != verdict.first_failed_step
    ]
    return [
        f"  also failed: {result.step}: {result.failure.class_name}/{result.failure.cause}; next: {action_for(result.failure.cause, fields)}"
        for result in failed
        if result.failure is not None
    ]


def _learning(record: RunRecord) -> list[str]:
    """What the voice has learned: as measured on the host where that was done, else as the job claims it, when that is in numbers."""
    status, measured = record.facts.get("status"), record.facts.get("remeasured")
    learning = measured or (status.get("learning") if isinstance(status, dict) else None)
    keys = ("heldout_loss_start", "heldout_loss_trained", "improvement", "control_improvement")
    if not isinstance(learning, dict) or not all(isinstance(learning.get(key), float) for key in keys):
        return []
    start, trained, better, control = (learning[key] for key in keys)
    source = "measured on the host" if measured else "claimed by the job"
    return [
        f"  held-out loss {start:.4f} -> {trained:.4f}: {better:.1%} better; on a wrong voice {control:.1%} ({source})"
    ]
