"""Failures: one exception for each root cause class, and a failure as data.

    StepFailure
    ├── EnvironmentBlocked   the machine, Docker, the image or a mount
    ├── RuntimeBlocked       import, model or weights inside the container
    ├── DataBlocked          the recording
    └── TrainFailed          the training, or its artifacts

    HarnessError             a command of the harness has no answer: no step failed

The exception type classifies, never its message. What each cause means and asks for stands in `acceptance.causes`.
"""

from __future__ import annotations

import errno
import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from string import Formatter
from typing import Any

from acceptance.causes import CAUSES, FailureClass


class HarnessError(Exception):
    """A command of the harness cannot do what was asked; one line that a person can act on, and a stable `cause`."""

    def __init__(self, message: str, *, cause: str) -> None:
        super().__init__(message)
        self.cause = cause

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process gets it with its cause."""
        return functools.partial(type(self), cause=self.cause), self.args


class StepFailure(AssertionError):
    """A step's criterion does not hold; carries class, cause and evidence. An AssertionError, so pytest reports a failure, not an error."""

    failure_class: FailureClass | None = None
    default_cause = "unclassified"

    def __init__(self, message: str, *, cause: str | None = None, **evidence: object) -> None:
        super().__init__(message)
        self.message = message
        self.cause = cause or self.default_cause
        if self.cause not in CAUSES:
            raise ValueError(f"unknown cause {self.cause!r}: add it to acceptance.causes.CAUSES")
        if CAUSES[self.cause].failure_class not in (None, self.failure_class):
            raise ValueError(
                f"cause {self.cause!r} belongs to {CAUSES[self.cause].failure_class}, not to {self.failure_class}"
            )
        self.evidence = {key: str(value) for key, value in evidence.items()}


class EnvironmentBlocked(StepFailure):
    """The machine, Docker, the image or a mount stands in the way."""

    failure_class = FailureClass.ENVIRONMENT_BLOCKED


class RuntimeBlocked(StepFailure):
    """Import, model or weights failed inside the container."""

    failure_class = FailureClass.RUNTIME_BLOCKED


class DataBlocked(StepFailure):
    """The recording cannot be used."""

    failure_class = FailureClass.DATA_BLOCKED


class TrainFailed(StepFailure):
    """Training ran and ended badly, or its artifacts do not hold."""

    failure_class = FailureClass.TRAIN_FAILED


def not_written(message: str, error: BaseException, *, cause: str) -> EnvironmentBlocked:
    """The failure of the harness's own write: `disk_full` where the disk is, else `cause`."""
    return EnvironmentBlocked(f"{message}: {error}", cause="disk_full" if is_full(error) else cause)


def is_full(error: BaseException) -> bool:
    """Whether a write failed because no space, no inode or no quota is left."""
    return getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT)


EXCEPTION_OF: Mapping[FailureClass, type[StepFailure]] = {
    kind.failure_class: kind for kind in (EnvironmentBlocked, RuntimeBlocked, DataBlocked, TrainFailed)
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A step's failure as data: what the journal stores and the report prints."""

    failure_class: FailureClass | None
    """None where nothing failed: the step was interrupted."""
    cause: str
    message: str
    evidence: Mapping[str, str] = field(default_factory=dict)

    @property
    def class_name(self) -> str:
        """The class as every report prints it: one of the four, or `none`."""
        return str(self.failure_class or "none")

    @property
    def hard_stop(self) -> bool:
        """Whether every later step is blocked by this one."""
        return CAUSES[self.cause].hard_stop


def action_for(cause: str, fields: Mapping[str, str]) -> str:
    """The cause's next_unblock_action; `fields` are shell-ready texts (quoted paths), an unknown one prints as N/A."""
    template = CAUSES[cause].action
    names = {name for _, name, _, _ in Formatter().parse(template) if name}
    return template.format_map({name: fields.get(name, "N/A") for name in names})
