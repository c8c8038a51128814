"""Known failure: the report was lost with the session. The journal of the latest run gives the report that the run left."""

from __future__ import annotations

from acceptance.guardrails.finding import Finding, NotApplicable
from acceptance.guardrails.stored_run import StoredRun
from acceptance.steps import STEP, STEPS, is_asked, is_guardrail

_ADVICE = "next_unblock_action"
"""Comes from today's table of causes, not from the run."""


def findings(run: StoredRun) -> list[Finding]:
    """The journal can be read to its end and gives the values of report.json; raises NotApplicable for a run of another harness version."""
    try:
        rebuilt = run.rebuilt()
    except ValueError as error:
        return [Finding(run.id, f"its report cannot be rebuilt: {error}")]
    if not run.claims and run.record.exit_status is None:
        return []  # it was killed, and its journal is its report
    if not run.claims:
        return [Finding(run.id, "it has no report.json; rebuild it: voice report " + run.id)]
    missing = _missing_rows(run)
    if missing:
        return [
            Finding(
                run.id,
                f"report.json says nothing of {len(missing)} steps that the run had, the first of them {missing[0]}",
            )
        ]
    return [
        Finding(run.id, f"{key}: report.json says {run.claims.get(key)!r}, the journal gives {value!r}")
        for key, value in rebuilt.items()
        if key != _ADVICE and run.claims.get(key) != value
    ]


def _missing_rows(run: StoredRun) -> list[str]:
    """Steps that the run had, by its journal, and that the report has no row for; raises NotApplicable for a run with other steps than today's."""
    reported = {row["step"] for row in run.rows if isinstance(row.get("step"), str)}
    # As the journal has it: the record drops steps that this version does not know.
    selected = [step for step in run.record.session.get("selected", ()) if isinstance(step, str)]
    had = [step for step in selected if not is_guardrail(step)]
    missing = [step for step in had if step not in reported]
    today = {step.id for step in STEPS}
    reported = {step for step in reported if step not in STEP or is_asked(step, ())}
    if not missing and not today == reported:
        raise NotApplicable(f"run {run.id} was made by a harness with other steps")
    return missing
