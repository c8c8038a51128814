"""How a step's failure looks on the terminal and in JUnit: class and cause first, then evidence made safe to print."""

from __future__ import annotations

import traceback
from types import SimpleNamespace
from typing import Any

import pytest
from _pytest._code.code import TerminalRepr
from _pytest._io import TerminalWriter

from acceptance.failure import Failure, StepFailure
from acceptance.live import printable
from acceptance.steps import STEP


class FailureText(TerminalRepr):
    """The `longrepr` of a failed step; `reprcrash.message` is what JUnit consumers and the short summary show."""

    def __init__(self, failure: Failure, *, step: str, action: str, location: tuple[str, int | None, str]) -> None:
        self.headline = f"{failure.failure_class}/{failure.cause}: {printable(failure.message, 300)}"
        self.step = step
        self.action = action
        self.evidence = failure.evidence
        self.reprcrash = SimpleNamespace(path=location[0], lineno=location[1] or 0, message=self.headline)

    def lines(self) -> list[str]:
        """The text, one printable line each."""
        lines = [self.headline, f"  step: {self.step}", f"  next: {self.action}"]
        for key, value in self.evidence.items():
            first, *rest = value.splitlines() or [""]
            lines.append(f"  {key}: {printable(first)}")
            lines += [f"    {printable(line)}" for line in rest]
        return lines

    def toterminal(self, tw: TerminalWriter) -> None:
        """What pytest calls to show the failure."""
        for line in self.lines():
            tw.line(line)

    def __str__(self) -> str:
        return "\n".join(self.lines())


def as_failure(excinfo: pytest.ExceptionInfo[BaseException] | None, step: str, representation: str) -> Failure:
    """The exception of a step as data; what is no StepFailure takes the class of the step's stage."""
    error: Any = excinfo.value if excinfo is not None else None
    if isinstance(error, StepFailure):
        return Failure(
            failure_class=error.failure_class or STEP[step].stage, cause=error.cause, message=error.message, evidence=error.evidence
        )
    cause = "unclassified" if isinstance(error, AssertionError) else "internal_error"
    message = "".join(traceback.format_exception_only(error)).strip().splitlines()[0] if error is not None else "no exception"
    return Failure(failure_class=STEP[step].stage, cause=cause, message=message, evidence={"traceback": representation})
