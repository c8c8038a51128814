"""Failures of the trainer; the type decides the exit code, the cause says which action helps.

TrainerError
├── DataError          10  the recording, its transcript or the manifest
├── RuntimeSetupError  20  imports, model, weights, settings
└── TrainingError      30  training or saving its result
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import ClassVar


class TrainerError(Exception):
    """A failure with a stable `cause` slug and a one-line message that a person can act on."""

    exit_code: ClassVar[int]

    def __init__(self, message: str, *, cause: str) -> None:
        super().__init__(message)
        self.cause = cause

    def __reduce__(self) -> tuple[object, ...]:
        # Without it no other process could read the error, and its pool would look as if it had been killed.
        return partial(type(self), cause=self.cause), self.args


class DataError(TrainerError):
    """Nothing is wrong with the machine: the input has to change."""

    exit_code = 10


class RuntimeSetupError(TrainerError):
    """The software is not complete or its settings are wrong; no data was judged."""

    exit_code = 20


class TrainingError(TrainerError):
    """Training started (or its outputs were refused) and ended badly."""

    exit_code = 30


_OTHER_BUILD = ("undefined symbol", "GLIBC", "binary incompatib", "ABI", "_ARRAY_API", "numpy.core.multiarray")
"""In the message of a compiled module that was built for other modules than are there."""


def from_import_error(error: BaseException) -> RuntimeSetupError:
    """Classify what an import raised: missing_module, missing_shared_library or abi_mismatch."""
    text = " ".join(str(error).split())
    if isinstance(error, ModuleNotFoundError):
        return RuntimeSetupError(f"a Python module is missing: {text}", cause="missing_module")
    if any(sign in text for sign in _OTHER_BUILD):
        return RuntimeSetupError(f"a compiled module does not fit the others: {text}", cause="abi_mismatch")
    if isinstance(error, ValueError):
        # "numpy.dtype size changed" is how a module compiled against another NumPy fails.
        return RuntimeSetupError(f"a compiled module does not fit the others: {text}", cause="abi_mismatch")
    if isinstance(error, OSError) or any(sign in text for sign in ("cannot open shared object", "shared object file")):
        return RuntimeSetupError(f"a shared library is missing: {text}", cause="missing_shared_library")
    return RuntimeSetupError(f"a module cannot be imported: {text}", cause="missing_module")


_NO_MEMORY = ("can't allocate memory", "not enough memory", "bad_alloc", "bad allocation")
"""In the message of a library of another language: PyTorch, CTranslate2, ONNX Runtime."""


def memory_failure(error: BaseException) -> TrainingError | None:
    """The TrainingError for an exception that means that memory ran out; None for another one."""
    text = " ".join(str(error).split())
    if isinstance(error, MemoryError) or any(sign in text for sign in _NO_MEMORY):
        return TrainingError(f"memory ran out: {text or type(error).__name__}", cause="out_of_memory")
    if type(error).__name__ == "OutOfMemoryError":
        return TrainingError(f"the GPU's memory ran out: {text}", cause="gpu_out_of_memory")
    return None


@contextmanager
def import_failures() -> Iterator[None]:
    """What imports inside it raise becomes RuntimeSetupError, as `from_import_error` classifies it."""
    try:
        yield
    except (ImportError, OSError, ValueError, AttributeError) as error:
        raise from_import_error(error) from error


@contextmanager
def foreign_failures(refusal: Callable[[str], TrainerError]) -> Iterator[None]:
    """What a library raises inside it becomes `refusal` of its first line; a TrainerError and a want of memory stay what they are."""
    try:
        yield
    except TrainerError:
        raise
    except Exception as error:  # such libraries have no public parent of what they raise
        line = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise memory_failure(error) or refusal(line) from error


def lost_process(code: int | None, who: str, printed: str = "what it printed says more") -> TrainerError:
    """The error for a process that ended too early, by its exit code: below 0 a signal, None if nobody saw it.

    `printed` is what it printed, or where that is.
    TrainingError(out_of_memory | shared_memory_exhausted | process_lost) or RuntimeSetupError(illegal_instruction).
    """
    if code == -signal.SIGKILL:
        fewer = "use fewer processes, or give them more memory"
        return TrainingError(f"{who} was killed, mostly for memory; {fewer}", cause="out_of_memory")
    if code == -signal.SIGILL:
        return RuntimeSetupError(
            f"{who} ended by SIGILL: it met an instruction that this processor lacks", cause="illegal_instruction"
        )
    if code == -signal.SIGBUS:
        return TrainingError(
            f"{who} ended by SIGBUS, mostly for a full /dev/shm; give it more", cause="shared_memory_exhausted"
        )
    if code is None:
        return TrainingError(f"{who} ended, and it is not known how", cause="process_lost")
    how = f"by {_signal_name(-code)}" if code < 0 else f"with exit code {code}"
    return TrainingError(f"{who} ended {how}; {printed}", cause="process_lost")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"
