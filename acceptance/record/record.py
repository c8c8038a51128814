"""The record of one run: what its events say, folded into one state.

Live, the plugin emits events through `Recorder`; after a crash the same events are read back from the journal. Both give the same
`RunRecord`, and reports are functions of it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict, cast

from acceptance.causes import CAUSES, FailureClass
from acceptance.failure import Failure
from acceptance.record.journal import Event, Journal
from acceptance.runtimes.signals import uninterrupted
from acceptance.steps import FULL_CYCLE, PRODUCTION_PHASE, STEP
from acceptance.verdict import Outcome, StepResult, Verdict, judge


class FileFacts(TypedDict, total=False):
    """What is known of a file of the run: recording, manifest or checkpoint."""

    bytes: int
    sha256: str
    entries: int
    """Of a manifest."""
    content_sha256: str
    """Of a checkpoint: its tensors alone."""


class StatusFacts(TypedDict, total=False):
    """What the run's train status says; a container wrote it."""

    status: str
    run_id: str
    audio_sha256: str
    manifest_sha256: str
    checkpoint_sha256: str
    learning: dict[str, Any]


@dataclass(slots=True, kw_only=True)
class RunRecord:
    """State of one run; changed only by `apply`."""

    run_id: str = ""
    session: dict[str, Any] = field(default_factory=dict)
    """What `session_started` said: objective, settings, workspace, host, action fields."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What the steps found out: audio, image, container, manifest, status, checkpoint, …"""
    results: list[StepResult] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    selected: tuple[str, ...] = ()
    running: str | None = None
    """The step that has started and not finished."""
    warnings: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    """Tracebacks of the harness's own failures."""
    carried_from: str = ""
    """The earlier run whose steps this one has taken over, where it went on with a full cycle."""
    carried: frozenset[str] = frozenset()
    """Those steps: they passed there."""
    exit_status: int | None = None
    """None while the session runs, and for ever when it was killed."""

    @property
    def audio(self) -> FileFacts:
        """What is known of the recording."""
        return cast(FileFacts, self.facts.get("audio") or {})

    @property
    def manifest(self) -> FileFacts:
        """What is known of the manifest."""
        return cast(FileFacts, self.facts.get("manifest") or {})

    @property
    def checkpoint(self) -> FileFacts:
        """What is known of the checkpoint."""
        return cast(FileFacts, self.facts.get("checkpoint") or {})

    @property
    def status(self) -> StatusFacts:
        """What the train status says."""
        return cast(StatusFacts, self.facts.get("status") or {})

    def apply(self, event: Event) -> None:
        """Fold one event into the state; unknown events are ignored (a newer harness may have written them).

        Raises ValueError for a known event with the wrong fields, and then changes nothing.
        """
        handler = _HANDLERS.get(str(event.get("event")))
        if handler is None:
            return
        try:
            handler(self, event)
        except (KeyError, TypeError, AttributeError, OverflowError) as error:
            raise ValueError(f"an event is not one of this harness: {error!r}"[:200]) from error

    def verdict(self) -> Verdict:
        """The verdict on the objective: phases 1 to 5, and a production that was asked for."""
        return judge(self.results, blocking=self._blocking, phases=self.phases - FULL_CYCLE)

    def voice_verdict(self) -> Verdict:
        """The verdict of phases 1 to 5 alone: whether the run certifies its voice, whatever became of what was done with it."""
        return judge(self.results, blocking=self._blocking)

    def whole_verdict(self) -> Verdict:
        """The verdict on all that was asked for: the objective, and in a full cycle what follows it."""
        return judge(self.results, blocking=self._blocking, phases=self.phases)

    @property
    def phases(self) -> frozenset[str]:
        """The optional phases that were asked for."""
        production = {PRODUCTION_PHASE} if self.session.get("production") else frozenset()
        return FULL_CYCLE.union(production) if self.is_cycle else frozenset(production)

    @property
    def is_cycle(self) -> bool:
        """Whether a full cycle was asked for."""
        return bool(self.session.get("full_cycle"))

    @property
    def _blocking(self) -> Collection[str]:
        return cast(Collection[str], self.session.get("blocking_guardrails", ()))

    def completed(self) -> RunRecord:
        """This record, with a run that never finished judged as interrupted at the step that was running, or next."""
        if self.exit_status is not None or not self.run_id:
            return self
        step = self.undecided()
        if step is not None:
            reason = "the session ended without finishing: it was killed, or the machine stopped"
            self.apply(finished(interruption(step, reason), seconds=0.0))
        return self

    def undecided(self) -> str | None:
        """The step that is running, else the first selected one without a result."""
        decided = {result.step for result in self.results}
        return self.running or next((step for step in self.selected if step not in decided), None)


def interruption(step: str, reason: str, *, cause: str = "interrupted") -> StepResult:
    """The result of a step that was cut short: not passed, and without a class unless something failed."""
    failure_class = None if CAUSES[cause].nothing_failed else STEP[step].stage
    return StepResult(
        step=step, outcome=Outcome.FAILED, failure=Failure(failure_class=failure_class, cause=cause, message=reason)
    )


def finished(result: StepResult, *, seconds: float) -> Event:
    """The event of a step's result."""
    failure = result.failure
    return {
        "event": "step_finished",
        "step": result.step,
        "outcome": result.outcome.name.lower(),
        "blocked_by": result.blocked_by,
        "seconds": round(seconds, 3),
        "failure": None
        if failure is None
        else {
            "class": failure.class_name,
            "cause": failure.cause,
            "message": failure.message,
            "evidence": dict(failure.evidence),
        },
    }


def from_events(events: Iterable[Event]) -> RunRecord:
    """The record that a sequence of events gives."""
    record = RunRecord()
    for event in events:
        record.apply(event)
    return record


class Recorder:
    """Emits events: to the journal first, then into the record."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.record = RunRecord()

    def emit(self, event: Event) -> None:
        """Journal the event, then apply it; no signal comes between the two."""
        with uninterrupted():
            self.journal.append(event)
            self.record.apply(event)

    def fact(self, name: str, value: Any) -> None:
        """Record one finding under a name; numbers that JSON does not know are written as text."""
        self.emit({"event": "fact", "name": name, "value": _storable(value)})

    def warn(self, message: str) -> None:
        """Record a warning for report.json."""
        self.emit({"event": "warning", "message": message})


def _storable(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _storable(item) for key, item in value.items()}
    return [_storable(item) for item in value] if isinstance(value, list | tuple) else value


def _session_started(record: RunRecord, event: Event) -> None:
    run_id, selected = _text(event["run_id"]), tuple(step for step in event.get("selected", ()) if step in STEP)
    for name in ("settings", "action_fields"):
        _mapping(event.get(name, {}))
    record.session = {key: value for key, value in event.items() if key != "event"}
    record.run_id, record.selected = run_id, selected


def _carried_over(record: RunRecord, event: Event) -> None:
    run, steps, facts = _text(event["run"]), [step for step in event["steps"] if step in STEP], _mapping(event["facts"])
    for name in _MAPPINGS & facts.keys():
        _mapping(facts[name])
    record.carried_from, record.carried = run, frozenset(steps)
    record.facts.update(facts)
    record.results += [StepResult(step=step, outcome=Outcome.PASSED) for step in steps]


def _step_started(record: RunRecord, event: Event) -> None:
    record.running = event["step"] if event["step"] in STEP else None


def _step_finished(record: RunRecord, event: Event) -> None:
    if event["step"] not in STEP:
        return
    result = StepResult(
        step=event["step"],
        outcome=Outcome[event["outcome"].upper()],
        failure=_failure(event.get("failure")),
        blocked_by=None if event.get("blocked_by") is None else _text(event["blocked_by"]),
    )
    record.seconds[result.step] = record.seconds.get(result.step, 0.0) + float(event.get("seconds", 0.0))
    record.running = None
    record.results.append(result)


def _failure(raw: Mapping[str, Any] | None) -> Failure | None:
    if raw is None:
        return None
    failure_class = None if raw["class"] == "none" else FailureClass(raw["class"])
    evidence = {_text(key): _text(value) for key, value in _mapping(raw["evidence"]).items()}
    if raw["cause"] not in CAUSES:
        raise ValueError("a cause that is not in the table")
    return Failure(failure_class=failure_class, cause=raw["cause"], message=_text(raw["message"]), evidence=evidence)


def _fact(record: RunRecord, event: Event) -> None:
    name, value = _text(event["name"]), event["value"]
    if name in _MAPPINGS:
        _mapping(value)
    record.facts[name] = value


def _warning(record: RunRecord, event: Event) -> None:
    record.warnings.append(_text(event["message"]))


def _error(record: RunRecord, event: Event) -> None:
    record.errors.append(_text(event["message"]))


def _session_finished(record: RunRecord, event: Event) -> None:
    record.exit_status = int(event["exit_status"])


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("text expected")
    return value


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError("an object expected")
    return value


_MAPPINGS = frozenset(
    "audio image runtime job manifest checkpoint measured remeasured evaluation comparison production promotion cost".split()
)
"""Facts of which reports read single values."""

_HANDLERS = {
    "session_started": _session_started,
    "carried_over": _carried_over,
    "step_started": _step_started,
    "step_finished": _step_finished,
    "fact": _fact,
    "warning": _warning,
    "error": _error,
    "session_finished": _session_finished,
}
