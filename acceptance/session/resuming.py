"""A full cycle that goes on where an earlier run of the workspace failed: the voice is not trained again if hashes prove that nothing changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from acceptance.failure import HarnessError
from acceptance.objective import Settings
from acceptance.policy import Policy
from acceptance.record import workspace as workspaces
from acceptance.record.record import RunRecord
from acceptance.steps import EVALUATION_PHASE, OPTIONAL, PRODUCTION_PHASE, PROMOTION_PHASE, STEPS
from acceptance.verdict import ObjectiveStatus, Outcome, worst_by_step
from trainer.files import plain_file, strict_json
from trainer.files.plain_file import PlainFileError

_FACTS_OF = {
    EVALUATION_PHASE: {"evaluation", "comparison"},
    PRODUCTION_PHASE: {"production"},
    PROMOTION_PHASE: {"promotion"},
}
_NOT_CARRIED = frozenset({"cost", "listening"}).union(*_FACTS_OF.values())
"""What a run finds out by itself, or with files in its own directory; of a phase that is carried over its facts are, too."""
_AGAIN = "phase_5_report"
"""The report is this session's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedOver:
    """What an earlier run has shown, so that this one does not do it again."""

    directory: Path
    steps: tuple[str, ...]
    facts: Mapping[str, Any]

    def event(self) -> dict[str, Any]:
        """For the journal of the run that goes on."""
        return {
            "event": "carried_over",
            "run": self.directory.name,
            "steps": list(self.steps),
            "facts": dict(self.facts),
        }


def find(
    workspace: Path,
    name: str,
    settings: Settings,
    policy: Policy,
    inputs: Mapping[str, str | None],
    phases: frozenset[str],
) -> CarriedOver:
    """What can be taken from the run called `name` (empty: the newest); nothing is written.

    Raises HarnessError(resume_refused) that says what changed, or that no voice was certified.
    """
    try:
        directory = workspaces.find_run(workspace, name or None)
        record = workspaces.load_run(directory).completed()
    except (OSError, ValueError) as error:
        raise HarnessError(f"--resume: {error}; leave --resume out", cause="resume_refused") from error
    changed = [*_changed(workspace, record, settings, policy)]
    if changed:
        raise _refused(directory, "; ".join(changed))
    if record.voice_verdict().status is not ObjectiveStatus.SUCCESS:
        failed = record.voice_verdict().first_failed_step or "before its end"
        raise _refused(
            directory, f"it certified no voice: it stopped at {failed} (training goes on from its last state)"
        )
    if record.phases - phases:
        option = "--production" if PRODUCTION_PHASE in record.phases - phases else "--full-cycle"
        raise _refused(directory, f"it was asked for with {option}, and this session is not; add {option} as it had it")
    passed = {step for step, found in worst_by_step(record.results).items() if found.outcome is Outcome.PASSED}
    if record.phases >= phases and all(step.id in passed for phase in phases for step in OPTIONAL[phase]):
        raise _refused(directory, "every step of it passed: there is nothing to resume")
    whole = [*_whole_phases(workspace, record, inputs, phases, passed)]
    facts = {key: value for key, value in record.facts.items() if "." not in key and key not in _NOT_CARRIED}
    facts |= {key: record.facts[key] for phase in whole for key in _FACTS_OF[phase] if key in record.facts}
    steps = [step.id for step in STEPS if step.phase != _AGAIN]
    steps += [step.id for phase in whole for step in OPTIONAL[phase]]
    return CarriedOver(directory=directory, steps=tuple(steps), facts=facts)


def input_hashes(**files: Path | None) -> dict[str, str | None]:
    """SHA-256 of files that were named; None for one that was not, empty for one that cannot be read."""
    return {name: None if path is None else _sha256(path) or "" for name, path in files.items()}


def _changed(workspace: Path, record: RunRecord, settings: Settings, policy: Policy) -> Iterator[str]:
    """What is not as the run had it."""
    before, now = (
        record.session.get("settings", {}),
        strict_json.loads(strict_json.canonical(asdict(settings)).encode()),
    )
    keys = sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key))
    if keys:
        yield f"the objective changed ({', '.join(keys)})"
    if (record.session.get("policy") or {}).get("sha256") != policy.sha256:
        yield "the policy changed"
    for name, path in (
        ("recording", settings.audio),
        ("manifest", settings.manifest),
        ("checkpoint", settings.checkpoint),
    ):
        known = record.facts.get("audio" if name == "recording" else name) or {}
        if not known.get("sha256"):
            continue  # the run did not come so far, and certified no voice
        found = _sha256(workspace / path)
        if found != known["sha256"]:
            yield f"the {name} {path} is {'gone' if found is None else 'another file now'}"


def _whole_phases(
    workspace: Path, record: RunRecord, inputs: Mapping[str, str | None], phases: frozenset[str], passed: set[str]
) -> Iterator[str]:
    """The optional phases that passed with the same inputs; a promotion is always decided anew."""
    before = record.session.get("inputs") or {}
    for phase, name in ((EVALUATION_PHASE, "texts"), (PRODUCTION_PHASE, "prompts")):
        if phase not in phases:
            continue
        if not all(step.id in passed for step in OPTIONAL[phase]) or before.get(name) != inputs.get(name):
            return
        if phase == EVALUATION_PHASE and not _scored(workspace, record):
            return
        yield phase


def _scored(workspace: Path, record: RunRecord) -> bool:
    """Whether the scorecard of the run still stands in the history."""
    from acceptance.scorecards import runs

    known = record.facts.get("evaluation") or {}
    try:
        return runs.load(workspace / runs.HISTORY).find(str(known.get("run_id"))).evaluation_sha256 == known.get(
            "evaluation_sha256"
        )
    except HarnessError:
        return False


def _sha256(path: Path) -> str | None:
    try:
        return plain_file.sha256_through_links(path)
    except PlainFileError:
        return None


def _refused(directory: Path, why: str) -> HarnessError:
    return HarnessError(
        f"--resume: run {directory.name} cannot be taken up: {why}; leave --resume out to run everything, or name another run: --resume=RUN",
        cause="resume_refused",
    )
