"""Reports: functions from a finished record to text; nothing here decides anything.

`block` is the objective report of the contract: the same inputs and the same failure give the same bytes. `document` is `report.json`,
which also holds what differs from run to run (times, host, ids).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from acceptance.failure import action_for
from acceptance.record.record import RunRecord
from acceptance.steps import GUARDRAILS, STEPS, is_guardrail, optional_steps
from acceptance.verdict import ObjectiveStatus, Verdict
from trainer.files import strict_json
from trainer.files.atomic_file import write_atomically
from trainer.files.printable import masked

BEGIN, END = "=== OBJECTIVE REPORT ===", "=== END OBJECTIVE REPORT ==="
KEYS = (
    *"objective_status first_failed_step root_cause_class cause audio_path audio_size_bytes audio_sha256 manifest_path".split(),
    *"manifest_entries train_status_json checkpoint_path checkpoint_size_bytes checkpoint_sha256 next_unblock_action".split(),
)
_UNFINISHED_STATUS_KEYS = ("status", "cause", "audio_sha256", "seed", "threads", "steps_total")
_STATUS_KEYS = (
    *"status loss audio_sha256 manifest_sha256 checkpoint_sha256 content_sha256 step steps_total".split(),
    *("device", "seed", "threads"),
)
_LEARNING_KEYS = (
    *"heldout_loss_start heldout_loss_trained improvement control_loss_start control_loss_trained control_improvement".split(),
    *("nonfinite_losses", "nonfinite_gradients", "heldout_utterances"),
)
_LONGEST_TEXT = 128


def block(record: RunRecord) -> str:
    """The objective report: one `key: value` per line in the order of KEYS, between its markers, without a final newline."""
    return "\n".join([BEGIN, *(f"{key}: {value}" for key, value in values(record).items()), END])


def next_action(record: RunRecord, verdict: Verdict) -> str:
    """What to do next: the cause's action, the command that runs the rest, or `none` after success."""
    if verdict.status is ObjectiveStatus.SUCCESS:
        return "none"
    fields = record.session.get("action_fields", {})
    if verdict.failure is not None:
        return action_for(verdict.failure.cause, fields)
    phases = dict.fromkeys(step.partition(".")[0] for step in verdict.not_run)
    return f"Not every step ran ({', '.join(phases) or 'some were blocked'}); run them all: {fields.get('run', 'pytest acceptance -q')}"


def document(record: RunRecord) -> dict[str, Any]:
    """`report.json`: the block's values, every step, the facts, and what is specific to this run."""
    verdict = record.whole_verdict()
    return {
        "schema": "voice_acceptance_report/1",
        "run_id": record.run_id,
        "objective": record.session.get("objective"),
        "runtime": record.facts.get("runtime"),
        "report": values(record),
        "failure": _failure(verdict),
        "steps": [_step(record, verdict, step.id) for step in (*STEPS, *optional_steps(record.phases))],
        "guardrails": [_step(record, verdict, step.id) for step in GUARDRAILS],
        "facts": record.facts,
        "session": record.session,
        "warnings": record.warnings,
        "errors": record.errors,
        "exit_status": record.exit_status,
    }


def save(record: RunRecord, directory: Path) -> None:
    """Write `report.txt` and `report.json`, each whole or not at all; raises TrainingError."""
    write_atomically(directory / "report.txt", (block(record) + "\n").encode())
    write_atomically(directory / "report.json", dumps(document(record)).encode())


def dumps(value: Any) -> str:
    """Readable JSON with sorted keys and a final newline; ASCII, so that no text of a container can keep it from being written."""
    return strict_json.readable(value, ascii_only=True).decode("ascii")


def values(record: RunRecord, verdict: Verdict | None = None) -> dict[str, str]:
    """The report's values by key, in its order, each on one printable line; `verdict` is the objective's unless one is given."""
    verdict = verdict or record.verdict()
    settings, facts = record.session.get("settings", {}), record.facts
    audio, manifest, checkpoint = record.audio, record.manifest, record.checkpoint
    failure = verdict.failure
    found = {
        "objective_status": str(verdict.status),
        "first_failed_step": verdict.first_failed_step or "none",
        "root_cause_class": failure.class_name if failure else "none",
        "cause": failure.cause if failure else "none",
        "audio_path": settings.get("audio"),
        "audio_size_bytes": audio.get("bytes"),
        "audio_sha256": audio.get("sha256"),
        "manifest_path": settings.get("manifest"),
        "manifest_entries": manifest.get("entries"),
        "train_status_json": _status_line(facts.get("status")),
        "checkpoint_path": settings.get("checkpoint"),
        "checkpoint_size_bytes": checkpoint.get("bytes"),
        "checkpoint_sha256": checkpoint.get("sha256"),
        "next_unblock_action": next_action(record, verdict),
    }
    return {key: "N/A" if found[key] is None else one_line(str(found[key])) for key in KEYS}


def _status_line(status: Any) -> str | None:
    """The status as canonical JSON of the contract's keys; of one that is not completed only what does not depend on when it ended."""
    if not isinstance(status, dict):
        return None
    keys = _STATUS_KEYS if status.get("status") == "completed" else _UNFINISHED_STATUS_KEYS
    kept = {key: status[key] for key in keys if _is_plain(status.get(key, ...))}
    learning = status.get("learning")
    if keys is _STATUS_KEYS and isinstance(learning, dict):
        kept["learning"] = {
            key: value for key, value in sorted(learning.items()) if key in _LEARNING_KEYS and _is_plain(value)
        }
    line = strict_json.canonical(kept)
    # The same JSON, but no CI system finds one of its commands (`::error::`, `##vso[`) in a container's text.
    return line.replace("::", ":\\u003a").replace("##", "#\\u0023")


def _is_plain(value: Any) -> bool:
    """A JSON scalar of sane length: nothing else of a container's status enters the block."""
    return (
        value is None
        or isinstance(value, bool | int | float)
        or (isinstance(value, str) and len(value) <= _LONGEST_TEXT)
    )


def one_line(text: str) -> str:
    """`text` on one line, free of control, format and line-breaking characters: nothing untrusted can forge a line of the report."""
    return masked(text)


def _failure(verdict: Verdict) -> dict[str, Any] | None:
    failure = verdict.failure
    if failure is None:
        return None
    return {
        "step": verdict.first_failed_step,
        "class": failure.class_name,
        "cause": failure.cause,
        "message": failure.message,
        "evidence": dict(failure.evidence),
    }


def _step(record: RunRecord, verdict: Verdict, step: str) -> dict[str, Any]:
    result = verdict.results.get(step)
    row: dict[str, Any] = {"step": step, "outcome": "not_run", "seconds": record.seconds.get(step)}
    if result is not None:
        row["outcome"] = result.outcome.name.lower()
        row["blocked_by"] = result.blocked_by
        if result.failure is not None:
            row |= {
                "class": result.failure.class_name,
                "cause": result.failure.cause,
                "message": result.failure.message,
            }
            row["next_unblock_action"] = action_for(result.failure.cause, record.session.get("action_fields", {}))
            if is_guardrail(step):
                row["findings"] = result.failure.evidence.get("findings", "").splitlines()
        if f"skipped.{step}" in record.facts:
            row["reason"] = record.facts[f"skipped.{step}"]
    return row
