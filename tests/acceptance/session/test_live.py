"""Live progress: numbers of well-formed lines only, and text that no terminal or CI system obeys."""

from __future__ import annotations

import io
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acceptance.session.live import BuildProgress, TrainProgress, parse_progress
from trainer.files.printable import printable

GARBAGE = [
    "PROGRESS", "PROGRESS 1 2", "PROGRESS 1 2 loss=", "PROGRESS 1 2 loss=nan", "PROGRESS 1 2 loss=inf", "PROGRESS 1 2 loss=1e999",
    "PROGRESS 3 2 loss=1.0", "PROGRESS 0 0 loss=1.0", "PROGRESS -1 2 loss=1.0", "PROGRESS 1.5 2 loss=1.0", "progress 1 2 loss=1.0",
    " PROGRESS 1 2 loss=1.0", "PROGRESS 1 2 loss=1.0 extra", "PROGRESS 1 2 loss=1.0\x1b[31m", "PROGRESS ١ ٢ loss=1.0",
    "PROGRESS 1 2 loss=0x10", "PROGRESS 9999999999 9999999999 loss=1.0", "PROGRESS 1 2 loss=" + "9" * 400,
]  # fmt: skip


@given(st.integers(0, 10**9 - 1), st.integers(1, 10**9 - 1), st.floats(0, 1e6))
def test_a_well_formed_line_is_read(step: int, total: int, loss: float) -> None:
    found = parse_progress(f"PROGRESS {step} {total} loss={loss:.6f}")
    assert found == ((step, total, float(f"{loss:.6f}")) if step <= total else None)


@pytest.mark.parametrize("line", GARBAGE)
def test_garbage_is_refused(line: str) -> None:
    assert parse_progress(line) is None


@given(st.text() | st.from_regex(r"PROGRESS .{0,30} loss=.{0,20}"))
def test_any_line_gives_sane_numbers_or_nothing(line: str) -> None:
    found = parse_progress(line)
    assert found is None or (0 <= found[0] <= found[1] and found[1] > 0 and math.isfinite(found[2]))


@given(st.text() | st.text(alphabet=":#[e\x1b m3\u2028\x9b\ud800"), st.integers(1, 200))
def test_printable_text_holds_no_control_sequence_and_no_ci_command(line: str, width: int) -> None:
    shown = printable(line, width)
    assert shown.isprintable()
    assert "::" not in shown
    assert "##" not in shown
    assert len(shown) <= width


def test_colours_are_taken_out_whole() -> None:
    assert printable("\x1b[1;31mred\x1b[0m ::error::no ##vso[task]") == "red : :error: :no # #vso[task]"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_log_gets_a_line_now_and_then_and_the_last_one() -> None:
    clock, lines = Clock(), []
    progress = TrainProgress(lines.append, clock=clock)
    for step in range(101):
        clock.now = step * 1.0
        progress(f"PROGRESS {step} 100 loss=1.5")
        progress("PROGRESS nonsense")
    assert len(lines) == 8
    assert lines[0] == "  training: step 0/100 (0 %), loss 1.5000"
    assert lines[1] == "  training: step 15/100 (15 %), loss 1.5000, 01:25 left"
    assert lines[-1] == "  training: step 100/100 (100 %), loss 1.5000, 00:00 left"


def test_phases_and_the_preparation_are_shown_and_nothing_else_that_a_job_prints() -> None:
    clock, lines = Clock(), []
    progress = TrainProgress(lines.append, clock=clock)
    for line in (
        "import_ok",
        "detect: 10 s of audio",
        "detect: 12 s of audio of 300",
        "::error::x",
        "import_ok now",
        "data_ok",
    ):
        progress(line)
    assert lines == ["  job: import_ok", "  job: detect: 10 s of audio", "  job: data_ok"]


def test_a_terminal_gets_a_bar_and_no_lines() -> None:
    terminal, lines = io.StringIO(), []
    progress = TrainProgress(lines.append, terminal=terminal)
    for step in (0, 50, 100):
        progress(f"PROGRESS {step} 100 loss=1.5")
    progress.close()
    assert lines == []
    assert re.search(r"training: 100%\|.+\| 100/100 \[.*loss 1\.5000\]", terminal.getvalue())


def test_the_build_shows_its_steps_at_once_and_other_lines_rarely() -> None:
    clock, lines = Clock(), []
    progress = BuildProgress(lines.append, clock)
    for line in ("Step 1/2 : FROM \x1b[31mx", "noise", "", "Step 2/2 : RUN ::error::y", "noise"):
        progress(line)
    clock.now = 20.0
    progress("late noise")
    assert lines == ["  build: Step 1/2 : FROM x", "  build: Step 2/2 : RUN : :error: :y", "  build: late noise"]


@pytest.mark.parametrize("steps", [1, 7, 10, 11, 18, 25, 200])
def test_of_a_long_build_about_ten_steps_are_shown_first_and_last_among_them(steps: int) -> None:
    lines = []
    progress = BuildProgress(lines.append, Clock())
    for number in range(1, steps + 1):
        progress(f"Step {number}/{steps} : RUN true")
    shown = [int(re.search(r"Step (\d+)/", line)[1]) for line in lines]
    assert (shown[0], shown[-1], len(shown)) == (1, steps, min(steps, 10))
    assert steps > 10 or shown == list(range(1, steps + 1))


def test_a_step_that_is_left_out_is_shown_after_a_while_of_silence() -> None:
    clock, lines = Clock(), []
    progress = BuildProgress(lines.append, clock)
    progress("Step 1/20 : FROM x")
    clock.now = 20.0
    progress("Step 2/20 : RUN slow")
    assert lines[1:] == ["  build: Step 2/20 : RUN slow"]


def test_a_change_of_stage_is_said_and_the_estimate_starts_again() -> None:
    clock, lines = Clock(), []
    progress = TrainProgress(lines.append, clock=clock)
    progress("stage: acoustic model from step 1")
    for step in range(1, 51):
        clock.now += 1.0
        progress(f"PROGRESS {step} 100 loss=0.43")
    progress("stage: vocoder from step 51")
    for step in range(51, 101):
        clock.now += 4.0
        progress(f"PROGRESS {step} 100 loss=1.13")
    said = lines.index("  training: vocoder from step 51 on; its loss is another one than before")
    assert lines[0] == "  training: acoustic model from step 1 on"
    assert lines[said + 2] == "  training: step 57/100 (57 %), loss 1.1300, 02:52 left"


def test_slow_first_steps_do_not_spoil_the_estimate() -> None:
    clock, lines = Clock(), []
    progress = TrainProgress(lines.append, clock=clock)
    for step in range(1, 301):
        clock.now += 10.0 if step < 10 else 0.5
        progress(f"PROGRESS {step} 1000 loss=1.5")
    assert lines[-1] == "  training: step 279/1000 (27 %), loss 1.5000, 06:00 left"


def test_a_log_says_each_part_of_the_preparation_as_it_begins() -> None:
    clock, lines = Clock(), []
    progress = TrainProgress(lines.append, clock=clock)
    said = (
        "detect: 5 s of audio of 300",
        "detect: 9 s of audio of 300",
        "recognise: 1 of 40 utterances",
        "features of 3 of 9 training utterances",
    )
    for line in said:
        clock.now += 1.0
        progress(line)
    assert lines == [
        "  job: detect: 5 s of audio of 300",
        "  job: recognise: 1 of 40 utterances",
        "  job: features of 3 of 9 training utterances",
    ]


def test_a_terminal_gets_a_bar_for_each_part_of_the_preparation() -> None:
    terminal, lines = io.StringIO(), []
    progress = TrainProgress(lines.append, terminal=terminal)
    for line in ("detect: 150 s of audio of 300", "recognise: 10 of 40 utterances", "PROGRESS 50 100 loss=1.5"):
        progress(line)
    progress.close()
    assert lines == []
    for shown in ("detect:  50%", "recognise:  25%", "training:  50%"):
        assert shown in terminal.getvalue()
