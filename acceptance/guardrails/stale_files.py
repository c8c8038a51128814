"""Known failure: files of an earlier run were taken for new ones. What lies in the workspace is what the latest good report names."""

from __future__ import annotations

from pathlib import Path

from acceptance.guardrails.finding import Finding
from acceptance.guardrails.stored_run import StoredRun
from acceptance.outputs import OUTPUTS
from acceptance.untrusted_file import identify_if_regular


def findings(run: StoredRun, workspace: Path) -> list[Finding]:
    """Manifest, status and checkpoint of the run are in their places, with the run's id and the hashes of its report."""
    settings, facts = run.record.session.get("settings", {}), run.record.facts
    status = facts.get("status") or {}
    expected = {"manifest": status.get("manifest_sha256"), "checkpoint": (facts.get("checkpoint") or {}).get("sha256")}
    found = []
    for name in OUTPUTS:
        relative = str(settings.get(name))
        identity = identify_if_regular(workspace / relative)
        if identity is None:
            found.append(Finding(where=relative, problem=f"the {name} of run {run.id} is gone"))
        elif name in expected and identity.sha256 != expected[name]:
            found.append(Finding(where=relative, problem=f"it is not the {name} that run {run.id} reported"))
        elif name == "status" and run.id.encode() not in (workspace / relative).read_bytes():
            found.append(Finding(where=relative, problem=f"it is the status of another run than {run.id}"))
    return found
