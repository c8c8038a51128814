"""Errors of what is done with a voice as failures of a step, with one of the four classes and a cause of the table."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from acceptance.causes import CAUSES, FailureClass
from acceptance.failure import EXCEPTION_OF, HarnessError
from trainer.errors import DataError, RuntimeSetupError, TrainerError, TrainingError

_KINDS = (
    (DataError, FailureClass.DATA_BLOCKED),
    (RuntimeSetupError, FailureClass.RUNTIME_BLOCKED),
    (TrainingError, FailureClass.TRAIN_FAILED),
)


@contextlib.contextmanager
def as_step_failures(stage: FailureClass, *, unknown: str = "production_failed") -> Iterator[None]:
    """Raises StepFailure for what fails inside, `unknown` for a cause of no table; an error that says no class has that of the stage."""
    try:
        yield
    except (HarnessError, TrainerError) as error:
        cause = error.cause if error.cause in CAUSES else unknown
        by_type = next((kind for exception, kind in _KINDS if isinstance(error, exception)), stage)
        kind = CAUSES[cause].failure_class or by_type
        raise EXCEPTION_OF[kind](str(error), cause=cause, stated_cause=error.cause) from error
