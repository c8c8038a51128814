"""Known failure: an interrupted training was taken for a whole one, or a dead run's copies came back over a later success."""

from __future__ import annotations

from acceptance.evidence import outputs
from acceptance.guardrails.finding import Finding
from acceptance.guardrails.stored_run import StoredRun, StoredRuns
from acceptance.objectives import output_folders


def findings(run: StoredRun, runs: StoredRuns) -> list[Finding]:
    """`run` (the latest good one) trained to its last step, and no older run still keeps copies that would replace its outputs."""
    status = run.record.facts.get("status") or {}
    found = []
    if status.get("step") is None or status.get("step") != status.get("steps_total"):
        found.append(Finding(run.id, f"it ended at step {status.get('step')} of {status.get('steps_total')}"))
    settings = run.record.session.get("settings", {})
    paths = {settings.get(name) for name in output_folders.OUTPUTS}
    for older in runs.newest_first():
        if older.id < run.id and outputs.kept_paths(older.directory) & paths:
            found.append(Finding(older.id, f"its copies of earlier outputs would replace those of run {run.id}"))
    return found
