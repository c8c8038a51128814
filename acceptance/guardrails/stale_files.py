"""Known failure: files of an earlier run were taken for new ones. What lies in the workspace is what the latest good report names."""

from __future__ import annotations

from pathlib import Path

from acceptance.evidence.untrusted_file import UntrustedFileError, identify_if_regular, read
from acceptance.guardrails.finding import Finding
from acceptance.guardrails.stored_run import StoredRun
from acceptance.objectives.output_folders import OUTPUTS
from acceptance.voices import store
from trainer.files import strict_json

_MAX_STATUS_BYTES = 256 * 2**10


def findings(run: StoredRun, workspace: Path) -> list[Finding]:
    """Manifest, status and checkpoint of the run are in their places, with the run's id and the hashes of its report."""
    settings = run.record.session.get("settings", {})
    expected = {"manifest": run.record.status.get("manifest_sha256"), "checkpoint": run.record.checkpoint.get("sha256")}
    found = []
    for name in OUTPUTS:
        relative = str(settings.get(name))
        identity = identify_if_regular(workspace / relative)
        if identity is None:
            found.append(Finding(relative, f"the {name} of run {run.id} is gone"))
        elif name == "checkpoint" and identity.sha256 != expected[name] and store.holds(workspace, identity.sha256):
            continue  # another certified voice, which somebody put back (voice rollback)
        elif name in expected and identity.sha256 != expected[name]:
            found.append(Finding(relative, f"it is not the {name} that run {run.id} reported"))
        elif name == "status" and (problem := _other_status(workspace / relative, _trained_by(run))):
            found.append(Finding(relative, problem))
    return found


def _trained_by(run: StoredRun) -> str:
    """The run whose job wrote the status: the run itself, or the one that it took over (a full cycle with --resume)."""
    return str(run.record.status.get("run_id")) if run.record.carried else run.id


def _other_status(path: Path, run_id: str) -> str | None:
    """Why the file is not the status of this run; None where it is."""
    try:
        status = strict_json.loads(read(path, limit=_MAX_STATUS_BYTES))
    except (ValueError, UntrustedFileError) as error:
        return f"it is no train status ({error})"
    same = isinstance(status, dict) and status.get("run_id") == run_id
    return None if same else f"it is the status of another run than {run_id}"
