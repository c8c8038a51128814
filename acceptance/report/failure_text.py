"""How a step's failure looks on the terminal and in JUnit: class and cause first, then evidence made safe to print."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from _pytest._code.code import TerminalRepr
from _pytest._io import TerminalWriter

from acceptance.failure import Failure, StepFailure
from acceptance.steps import STEP
from trainer.files.printable import printable


class Failed(TerminalRepr):
    """The `longrepr` of a failure; `reprcrash.message` is what JUnit readers and the short summary show."""

    def __init__(self, headline: str, *, action: str, details: Sequence[str], location: tuple[str, int | None]) -> None:
        self.headline, self.action, self.details = headline, action, tuple(details)
        # Most readers of JUnit show the message alone: what to do next stands in it.
        message = f"{headline}. Next: {action}" if action else headline
        self.reprcrash = SimpleNamespace(path=location[0], lineno=location[1] or 0, message=message)

    def lines(self) -> list[str]:
        """The text, one printable line each."""
        return [self.headline, *self.details]

    def toterminal(self, tw: TerminalWriter) -> None:
        """What pytest calls to show the failure."""
        for line in self.lines():
            tw.line(line)

    def __str__(self) -> str:
        return "\n".join(self.lines())


class FailureText(Failed):
    """The `longrepr` of a failed step."""

    def __init__(self, failure: Failure, *, step: str, action: str, location: tuple[str, int | None, str]) -> None:
        details = [f"  step: {step}", f"  next: {action}"]
        for key, value in failure.evidence.items():
            first, *rest = value.splitlines() or [""]
            details.append(f"  {key}: {printable(first)}")
            details += [f"    {printable(line)}" for line in rest]
        headline = f"{failure.class_name}/{failure.cause}: {printable(failure.message, 300)}"
        super().__init__(headline, action=action, details=details, location=location[:2])


class NotJudged(Failed):
    """The `longrepr` of an objective that was not reached although no step failed."""

    def __init__(self, message: str, *, action: str, reasons: Mapping[str, str]) -> None:
        details = [f"  next: {action}", *(f"  {step}: {printable(reason)}" for step, reason in reasons.items())]
        super().__init__(f"none/not_judged: {message}", action=action, details=details, location=("acceptance", None))


@contextlib.contextmanager
def plain_traceback(config: pytest.Config, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Around pytest's report of a StepFailure, whose traceback nobody reads: pytest parses no source for it."""
    if call.excinfo is None or not isinstance(call.excinfo.value, StepFailure):
        yield
        return
    style = getattr(config.option, "tbstyle", "auto")  # -p no:terminal takes the option away
    config.option.tbstyle = "native"
    try:
        yield
    finally:
        config.option.tbstyle = style


def as_failure(excinfo: pytest.ExceptionInfo[BaseException] | None, step: str, representation: str) -> Failure:
    """The exception of a step as data; what is no StepFailure takes the class of the step's stage."""
    error: Any = excinfo.value if excinfo is not None else None
    if isinstance(error, StepFailure):
        return Failure(
            failure_class=error.failure_class or STEP[step].stage,
            cause=error.cause,
            message=error.message,
            evidence=error.evidence,
        )
    cause = "unclassified" if isinstance(error, AssertionError) else "internal_error"
    message = (
        "".join(traceback.format_exception_only(error)).strip().splitlines()[0] if error is not None else "no exception"
    )
    return Failure(failure_class=STEP[step].stage, cause=cause, message=message, evidence={"traceback": representation})
