"""Work in several processes ends when its program ends, and a killed process is an error instead of a wait without end."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from trainer.errors import DataError, RuntimeSetupError, TrainerError, TrainingError
from trainer.preparation import parallel
from trainer.preparation.transcription.recognise import recognise

pytestmark = pytest.mark.long


def _end(signal_number: int) -> None:
    os.kill(os.getpid(), signal_number)


def test_a_killed_process_is_an_error_with_a_next_step_and_not_a_hang() -> None:
    with pytest.raises(TrainingError, match="use fewer processes") as caught:
        parallel.each(_end, [signal.SIGKILL, signal.SIGKILL], processes=2)
    assert caught.value.cause == "out_of_memory"


@pytest.mark.parametrize(
    ("signal_number", "kind", "cause", "said"),
    [
        (signal.SIGILL, RuntimeSetupError, "illegal_instruction", "ended by SIGILL: it met an instruction that"),
        (signal.SIGBUS, TrainingError, "shared_memory_exhausted", "ended by SIGBUS, mostly for a full /dev/shm"),
        (signal.SIGSEGV, TrainingError, "process_lost", "ended by SIGSEGV; what it printed"),
        (signal.SIGTERM, TrainingError, "process_lost", "ended by SIGTERM; what it printed"),
        (signal.SIGRTMIN + 1, TrainingError, "process_lost", "ended by signal 35; what it printed"),
    ],
)
def test_only_a_process_that_was_killed_is_said_to_want_memory(
    signal_number: int, kind: type[TrainerError], cause: str, said: str
) -> None:
    with pytest.raises(kind, match=said) as caught:
        parallel.each(_end, [signal_number, signal_number], processes=2)
    assert caught.value.cause == cause


def _sleep_or_crash(crash: bool) -> None:
    if crash:
        _end(signal.SIGSEGV)
    time.sleep(60.0)


def test_the_process_that_crashed_is_told_and_not_one_that_the_pool_stopped() -> None:
    began = time.monotonic()
    with pytest.raises(TrainingError, match="one of 2 processes ended by SIGSEGV"):
        parallel.each(_sleep_or_crash, [False, True], processes=2)
    assert time.monotonic() - began < 50, "it was only noticed when the other one was done"


class _Unread(Exception):
    """Cannot be made again from its arguments, so no other process can read it."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(first)


def _raise_unread(_: int) -> None:
    raise _Unread("a", "b")


def test_what_cannot_be_read_from_a_process_is_not_taken_for_its_end() -> None:
    with pytest.raises(
        TrainingError, match=r"what one of 2 processes sent back cannot be read \(TypeError: .*'second'\)"
    ):
        parallel.each(_raise_unread, [0, 1], processes=2)


def _exit(code: int) -> None:
    os._exit(code)


def test_a_process_that_exits_is_told_with_its_exit_code_and_its_item() -> None:
    with pytest.raises(TrainingError, match="one of 2 processes at item 3 ended with exit code 3;") as caught:
        parallel.as_done(_exit, [3, 3], processes=2, name=lambda number: f"item {number}")
    assert caught.value.cause == "process_lost"


def test_a_script_that_every_process_would_run_again_is_told_its_own_error(tmp_path: Path) -> None:
    script = tmp_path / "unguarded.py"
    script.write_text("from trainer.preparation import parallel\nparallel.each(abs, [1, 2], processes=2)\n")
    ran = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120, check=False)
    assert "ended with exit code 1" in ran.stderr and "if __name__ == '__main__':" in ran.stderr


def _end_at_two(number: int) -> int:
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_the_error_names_the_first_item_without_a_result() -> None:
    with pytest.raises(TrainingError, match=r"one of 2 processes at item [0-2] or a later one was killed") as caught:
        parallel.each(_end_at_two, range(6), processes=2, name=lambda number: f"item {number}")
    assert caught.value.cause == "out_of_memory"


def _kill_the_others(*_: int) -> None:
    for process in multiprocessing.active_children():
        os.kill(process.pid, signal.SIGKILL)


def test_a_killed_recogniser_ends_the_recognition() -> None:
    waves = [np.random.default_rng(0).normal(0.0, 0.1, 22_050).astype(np.float32)] * 40
    with pytest.raises(TrainingError) as caught:
        recognise(waves, processes=2, on_progress=_kill_the_others)
    assert caught.value.cause == "out_of_memory"


def _stopped(signal_number: int) -> subprocess.CompletedProcess[str]:
    """A program that measures in two processes and gets a signal when both are at work."""
    code = (
        "import os, signal, time\n"
        "from trainer.preparation import parallel\n"
        "if __name__ == '__main__':\n"
        f"    parallel.each(time.sleep, [0.0, 600.0, 600.0], processes=2, on_progress=lambda: os.kill(os.getpid(), {signal_number}))\n"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)


def test_sigterm_ends_the_measuring_processes_in_order() -> None:
    stopped = _stopped(signal.SIGTERM)
    assert (stopped.returncode, stopped.stderr) == (143, "")


def test_measuring_processes_do_not_outlive_a_killed_program() -> None:
    assert (
        _stopped(signal.SIGKILL).returncode == -signal.SIGKILL
    )  # and its pipes are closed, or this would have timed out


def _refuse(number: int) -> int:
    raise DataError(f"item {number} is not good", cause="settings_invalid")


def test_an_error_of_the_work_arrives_as_what_it_is_and_not_as_a_killed_process() -> None:
    with pytest.raises(DataError, match="item 0 is not good") as caught:
        parallel.each(_refuse, range(2), processes=2)
    assert caught.value.cause == "settings_invalid"


def _ticking(number: int) -> None:
    for _ in range(number):
        parallel.tick()


def test_items_are_told_as_they_are_done_after_all_their_ticks() -> None:
    told: list[int | str] = []
    parallel.as_done(
        _ticking, [3, 1, 2], processes=2, name=str, on_done=told.append, on_progress=lambda: told.append("tick")
    )
    assert sorted(one for one in told if isinstance(one, int)) == [1, 2, 3]
    assert told.count("tick") == 6 and isinstance(told[-1], int)


def _end_at_two_and_wait_else(number: int) -> None:
    _end_at_two(number)
    if number:
        time.sleep(60.0)


def test_the_item_of_a_killed_process_is_named_and_the_other_processes_are_stopped() -> None:
    started = time.monotonic()
    with pytest.raises(TrainingError, match="one of 2 processes at item 2 was killed,") as caught:
        parallel.as_done(_end_at_two_and_wait_else, [1, 0, 2], processes=2, name=lambda number: f"item {number}")
    assert caught.value.cause == "out_of_memory"
    assert time.monotonic() - started < 30.0
    assert multiprocessing.active_children() == []


def test_the_item_is_named_also_if_its_process_was_killed_before_it_began() -> None:
    def kill(_: int) -> None:
        _kill_the_others()
        time.sleep(1.0)  # the pool knows of it before it gets the next item

    with pytest.raises(TrainingError, match="the process that does it at item 1 was killed,") as caught:
        parallel.as_done(_ticking, [0, 1], processes=1, name=lambda number: f"item {number}", on_done=kill)
    assert caught.value.cause == "out_of_memory"
