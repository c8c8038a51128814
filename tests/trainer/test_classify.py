"""What an exception that nobody planned for becomes."""

import errno

import pytest

from trainer.job.contract import Marker
from trainer.job.run import classify, one_line


@pytest.mark.parametrize(
    ("error", "code", "cause"),
    [
        (MemoryError(), 30, "out_of_memory"),
        (
            RuntimeError("[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory"),
            30,
            "out_of_memory",
        ),
        (RuntimeError("can't start new thread"), 20, "threads_blocked"),
        (OSError(errno.ENOSPC, "No space left on device"), 30, "disk_full"),
        (OSError(errno.EROFS, "Read-only file system", "/out/x"), 30, "output_not_writable"),
        (PermissionError(errno.EACCES, "Permission denied", "/out/x"), 30, "output_not_writable"),
        (KeyboardInterrupt(), 30, "interrupted"),
        (ZeroDivisionError("division by zero"), 20, "unclassified"),
    ],
)
def test_an_exception_becomes_a_cause_and_an_exit_code(error, code, cause):
    found = classify(error, phase=Marker.MODEL_OK)
    assert (found.exit_code, found.cause) == (code, cause)


def test_an_unknown_exception_after_the_first_step_is_a_training_failure():
    assert classify(ZeroDivisionError(), phase=Marker.TRAIN_STARTED).exit_code == 30


def test_a_message_is_one_printable_line():
    assert one_line(ValueError("a\nFAILURE cause=fake\x1b[31m")) == "a FAILURE cause=fake?[31m"
