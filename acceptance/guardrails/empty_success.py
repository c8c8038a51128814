"""Known failure: green over nothing. A run without steps, or with steps left out, is never a success."""

from __future__ import annotations

from acceptance.guardrails.finding import Finding
from acceptance.guardrails.stored_run import StoredRuns
from acceptance.steps import STEPS
from acceptance.verdict import ObjectiveStatus, Outcome, StepResult, judge

_LATEST = 5


def findings(runs: StoredRuns) -> list[Finding]:
    """The verdict refuses nothing-ran, all-skipped and one-missing; the latest reports that say success have a pass of every step of theirs."""
    everything = [StepResult(step=step.id, outcome=Outcome.PASSED) for step in STEPS]
    skipped = [StepResult(step=step.id, outcome=Outcome.SKIPPED) for step in STEPS]
    attempts = {"no step at all": [], "only skipped steps": skipped, "all steps but the last": everything[:-1]}
    found = [
        Finding("acceptance/verdict.py", f"{name} is judged a success")
        for name, results in attempts.items()
        if judge(results).status is ObjectiveStatus.SUCCESS
    ]
    for run, _ in zip(runs.newest_first(), range(_LATEST), strict=False):
        if run.claims_success and (not run.rows or any(row.get("outcome") != "passed" for row in run.rows)):
            found.append(Finding(run.id, "its report says success, but not every step of it passed"))
    return found
