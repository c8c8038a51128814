"""Known failure: the report was lost with the session. The journal of the latest run gives the report that the run left."""

from __future__ import annotations

from acceptance.guardrails.finding import Finding, NotApplicable
from acceptance.guardrails.stored_run import StoredRun
from acceptance.steps import STEPS

_ADVICE = "next_unblock_action"
"""Comes from today's table of causes, not from the run."""


def findings(run: StoredRun) -> list[Finding]:
    """The journal can be read to its end and gives the values of report.json; raises NotApplicable for a run of another harness version."""
    try:
        rebuilt = run.rebuilt()
    except ValueError as error:
        return [Finding(where=run.id, problem=f"its report cannot be rebuilt: {error}")]
    steps = {str(row.get("step")) for row in run.report.get("steps", [])}
    if steps and not {step.id for step in STEPS} <= steps:
        raise NotApplicable(f"run {run.id} was made by a harness with other steps")
    if not run.claims and run.record.exit_status is None:
        return []  # it was killed, and its journal is its report
    if not run.claims:
        return [Finding(where=run.id, problem="it has no report.json; rebuild it: python -m acceptance report " + run.id)]
    return [
        Finding(where=run.id, problem=f"{key}: report.json says {run.claims.get(key)!r}, the journal gives {value!r}")
        for key, value in rebuilt.items()
        if key != _ADVICE and run.claims.get(key) != value
    ]
