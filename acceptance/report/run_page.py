"""`report.html`: a run as a page that a person opens, looks at and listens to."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from acceptance.evidence.examination import PICTURE_SUFFIX
from acceptance.evidence.job import LISTENING
from acceptance.failure import action_for
from acceptance.pages import environment, picture, plain_text, sound
from acceptance.record.record import RunRecord
from acceptance.report import block, cycle_block, loss_curve
from acceptance.report.next_command import NextCommand, next_command
from acceptance.report.summary import PAGE
from acceptance.steps import STEP, STEPS, is_guardrail, optional_steps, phases_with
from acceptance.verdict import ObjectiveStatus, Outcome, StepResult, Verdict
from trainer.files import plain_file
from trainer.files.atomic_file import write_atomically

_FILES = ("report.json", "report.txt", "events.jsonl", "container.log", "build.log", "training_log.csv")
_LOGS = (
    ("container.log", "End of the job's log", ""),
    ("build.log", "End of the build's log", "phase_2_build.image_built"),
)
"""File, title, and the step without whose failure nobody needs it."""
_LOG_BYTES, _PICTURE_BYTES = 64 * 2**10, 2**20
_EVIDENCE_LINES = 200
_DROPPED = {
    "too_short": "shorter than an utterance may be",
    "too_long": "longer than an utterance may be",
    "not_speech": "no speech",
    "too_quiet": "too quiet",
    "too_noisy": "too much noise",
    "clipped": "clipped",
    "not_needed": "good speech beyond what is learnt from",
    "transcript_mismatch": "the text does not fit the sound",
    "not_understood": "the recogniser is not sure of the words",
    "no_words": "no words",
    "text_not_spoken": "the text is not spoken there",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One scorecard of the run's checkpoint: its name, when, points, grade, and (part, value, verdict) of its parts."""

    name: str
    created: str
    points: float
    grade: str
    parts: Sequence[tuple[str, str, str]]


def write(record: RunRecord, run_dir: Path, *, scores: Sequence[Score] = ()) -> Path:
    """Write the run's page; returns its path. Raises TrainingError(disk_full | output_not_writable)."""
    page = run_dir / PAGE
    write_atomically(page, render(record, run_dir, scores=scores).encode())
    return page


def render(record: RunRecord, run_dir: Path, *, scores: Sequence[Score] = ()) -> str:
    """The page's HTML; what the run's directory does not hold is left out."""
    verdict = record.whole_verdict()
    good = verdict.status is ObjectiveStatus.SUCCESS
    heard = record.facts.get("listening")
    heard = heard if isinstance(heard, dict) else {}
    return environment.render(
        Path(__file__).with_name("run_page.html"),
        run_id=record.run_id,
        objective=str(record.session.get("objective", "")),
        good=good,
        headline=_headline(verdict),
        message=verdict.failure.message if verdict.failure is not None else "",
        failed_step=verdict.first_failed_step or "",
        next=_next(record, verdict),
        also=_also(record, verdict),
        evidence=_evidence(verdict),
        logs=[] if good else _logs(run_dir, verdict),
        phases=_phases(record, verdict),
        warnings=record.warnings,
        errors=record.errors,
        learning=_learning(record),
        curves=loss_curve.of_run(run_dir, record.status.get("learning")),
        moments=_moments(heard, run_dir),
        real=_real(heard, run_dir),
        dataset=_dataset(heard),
        scores=scores,
        cycle=[*cycle_block.values(record).items()] if record.is_cycle else [],
        block=block.block(record),
        identity=_identity(record),
        machine=_machine(record),
        files=[name for name in _FILES if (run_dir / name).is_file()],
    )


def _headline(verdict: Verdict) -> str:
    if verdict.status is ObjectiveStatus.SUCCESS:
        return "Success: the voice is certified"
    if verdict.failure is None:
        return "Blocked: not every step ran"
    return f"Blocked: {verdict.failure.cause} ({verdict.failure.class_name})"


def _next(record: RunRecord, verdict: Verdict) -> NextCommand:
    """What to do: unblock it, or listen to the voice."""
    if verdict.status is not ObjectiveStatus.SUCCESS:
        return _here(next_command(block.next_action(record, verdict)), record)
    settings, workspace = record.session.get("settings", {}), record.session.get("workspace", "")
    if not settings.get("remeasure") or settings.get("backbone") != "natural":
        return next_command("Nothing is left to do.")  # another trainer's voice, or one that reads no text
    return NextCommand.saying(str(Path(str(workspace), str(settings.get("checkpoint", "")))))


def _here(action: NextCommand, record: RunRecord) -> NextCommand:
    """The action with the workspace's path in it, which the report block must not name."""
    path = shlex.quote(str(record.session.get("workspace", "")))
    return replace(action, command=action.command.replace('"$WORKSPACE"', path))


def _also(record: RunRecord, verdict: Verdict) -> list[tuple[str, str, NextCommand]]:
    """Failures beside the one that the verdict names: step, what is wrong, and what to do."""
    fields = record.session.get("action_fields", {})
    return [
        (step.id, f"{failure.cause}: {failure.message}", _here(next_command(action_for(failure.cause, fields)), record))
        for step in (*STEPS, *optional_steps(record.phases))
        if step.id != verdict.first_failed_step
        and step.id in verdict.results
        and (failure := verdict.results[step.id].failure) is not None
    ]


def _evidence(verdict: Verdict) -> list[tuple[str, str]]:
    """What the failure shows, each text by its end: a job may have printed anything, in any amount."""
    found = verdict.failure.evidence if verdict.failure is not None else {}
    return [(name, plain_text.tail(text, lines=_EVIDENCE_LINES, width=2000)) for name, text in found.items()]


def _logs(run_dir: Path, verdict: Verdict) -> list[tuple[str, str]]:
    """The ends of the logs that are not empty."""
    failed = {step for step, result in verdict.results.items() if result.outcome is Outcome.FAILED}
    found = []
    for name, title, of_step in _LOGS:
        if of_step and of_step not in failed:
            continue
        try:
            with plain_file.opened(run_dir / name) as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - _LOG_BYTES))
                text = file.read(_LOG_BYTES).decode("utf-8", "replace")
        except OSError:
            continue
        if text.strip():
            found.append((title, plain_text.tail(text)))
    return found


def _phases(record: RunRecord, verdict: Verdict) -> list[dict[str, Any]]:
    """Every phase with its steps and times."""
    phases = []
    for phase in phases_with(record.phases):
        steps = [step for step in STEP.values() if step.phase == phase]
        rows = [_step(step.id, verdict.results.get(step.id), record) for step in steps]
        phases.append(
            {
                "name": phase.split("_", 2)[2].capitalize(),
                "seconds": sum(record.seconds.get(step.id, 0.0) for step in steps),
                "steps": rows,
                "open": any(row["outcome"] in ("failed", "blocked", "advisory") for row in rows),
                "passed": sum(row["outcome"] == "passed" for row in rows),
                "worst": max((row["outcome"] for row in rows), key=_order(phase).index),
            }
        )
    return phases


_WORST = ("passed", "skipped", "not run", "advisory", "blocked", "failed")


def _order(phase: str) -> tuple[str, ...]:
    """Outcomes from good to bad; a guardrail that has nothing to look at is skipped, and that is good."""
    return ("skipped", *(one for one in _WORST if one != "skipped")) if is_guardrail(f"{phase}.") else _WORST


def _step(step: str, result: StepResult | None, record: RunRecord) -> dict[str, Any]:
    if result is None:
        outcome, said = "not run", ""
    elif result.failure is not None:
        outcome, said = result.outcome.name.lower(), f"{result.failure.cause}: {result.failure.message}"
    else:
        outcome = result.outcome.name.lower()
        said = f"blocked by {result.blocked_by}" if result.outcome is Outcome.BLOCKED else ""
        said = said or str(record.facts.get(f"skipped.{step}", ""))
    seconds = record.seconds.get(step)
    return {"check": STEP[step].check.replace("_", " "), "outcome": outcome, "said": said, "seconds": seconds}


def _learning(record: RunRecord) -> list[tuple[str, str]]:
    """What was learned, in words and numbers."""
    measured = record.facts.get("remeasured")
    found = measured or record.status.get("learning")
    keys = ("heldout_loss_start", "heldout_loss_trained", "improvement", "control_improvement")
    if not isinstance(found, dict) or not all(type(found.get(key)) in (int, float) for key in keys):
        return []
    start, trained, better, control = (found[key] for key in keys)
    return [
        ("Held-out loss", f"{start:.4f} before training, {trained:.4f} after it: {better:.1%} better"),
        ("On a wrong voice", f"{control:.1%} better"),
        ("Measured by", "the host, from the files" if measured else "the job itself (its own claim)"),
    ]


def _moments(heard: Mapping[str, Any], run_dir: Path) -> list[dict[str, Any]]:
    """Before, during and after training: the clips of each, in the order of the steps."""
    sentences, clips = heard.get("sentences", ()), heard.get("clips", ())
    moments: dict[int, list[dict[str, Any]]] = {}
    for clip in clips:
        spoken = _clip(clip, run_dir, sentences[clip["sentence"] - 1])
        if spoken is not None:
            moments.setdefault(clip["step"], []).append(spoken)
    total = heard.get("steps_total", 0)
    return [{"name": _moment(step, total), "clips": found} for step, found in sorted(moments.items())]


def _moment(step: int, total: int) -> str:
    if step == 0:
        return "Before training"
    return f"After training ({total} steps)" if step == total else f"During training (step {step} of {total})"


def _real(heard: Mapping[str, Any], run_dir: Path) -> list[dict[str, Any]]:
    found = [_clip(clip, run_dir, clip["text"]) for clip in heard.get("real", ())]
    return [clip for clip in found if clip is not None]


def _clip(clip: Mapping[str, Any], run_dir: Path, text: str) -> dict[str, Any] | None:
    """Text, player and picture of one clip; None if the file is gone."""
    path = run_dir / LISTENING / str(clip["file"])
    if not path.is_file():
        return None
    try:
        drawn = picture.inside(plain_file.read(path.with_suffix(PICTURE_SUFFIX), limit=_PICTURE_BYTES))
    except OSError:
        drawn = ""
    return {
        "text": text,
        "source": sound.beside(path, run_dir / PAGE),
        "picture": drawn,
        "seconds": float(clip["seconds"]),
    }


def _dataset(heard: Mapping[str, Any]) -> dict[str, Any] | None:
    found = heard.get("dataset")
    if not isinstance(found, dict):
        return None
    dropped = [
        (_DROPPED.get(reason, reason.replace("_", " ")), count, f"{seconds:.1f}")
        for reason, (count, seconds) in sorted(found["dropped"].items(), key=lambda row: -row[1][1])
    ]
    facts = [
        ("Recording", f"{found['source_s'] / 60.0:.1f} minutes"),
        ("Learnt from", f"{found['train_minutes']:.1f} minutes"),
        ("Held out, to measure with", f"{found['held_out_minutes']:.1f} minutes"),
    ]
    return {"facts": facts, "dropped": dropped}


def _identity(record: RunRecord) -> list[tuple[str, str]]:
    """Hashes and seeds: what was judged."""
    image, settings = record.facts.get("image") or {}, record.session.get("settings", {})
    policy = record.session.get("policy", {})
    found = [
        ("Recording SHA-256", record.audio.get("sha256")),
        ("Manifest SHA-256", record.manifest.get("sha256")),
        ("Checkpoint SHA-256", record.checkpoint.get("sha256")),
        ("Checkpoint content SHA-256", record.checkpoint.get("content_sha256")),
        ("Policy SHA-256", policy.get("sha256")),
        ("Image", image.get("id")),
        ("Build context SHA-256", image.get("context_sha256")),
        ("Backbone", settings.get("backbone")),
        ("Seed", settings.get("seed")),
        ("Threads", settings.get("threads")),
    ]
    return [(name, str(value)) for name, value in found if value not in (None, "")]


def _machine(record: RunRecord) -> list[tuple[str, str]]:
    """Where it ran."""
    host, runtime = record.session.get("host", {}), record.facts.get("runtime") or {}
    job = record.facts.get("job") or {}
    found = [
        ("System", host.get("system")),
        ("Processors", host.get("processors")),
        ("Python", host.get("python")),
        ("Workspace", record.session.get("workspace")),
        ("Runtime", runtime.get("name")),
        ("Engine", runtime.get("engine")),
        ("Network of the job", runtime.get("network")),
        ("Job", f"{job['seconds']} s, exit status {job['exit_code']}" if job else None),
        ("Command", " ".join(["pytest", *map(str, record.session.get("arguments", ()))])),
    ]
    return [(name, str(value)) for name, value in found if value not in (None, "")]
