"""The table of losses: every step once, also over an interruption, and never a reason to end a training."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from trainer.job.training_log import COLUMNS, TrainingLog


def write(path: Path, steps: range, notes: list[str] | None = None) -> None:
    log = TrainingLog(path, 6, (notes if notes is not None else []).append)
    for step in steps:
        if step:
            log.step(step, 1.0 / step, "acoustic model")
        if step % 2 == 0:
            log.evaluated(step, 2.0 / (step + 1), "acoustic model")


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_step_and_every_evaluation_is_a_row(tmp_path):
    write(tmp_path / "log.csv", range(7))
    found = rows(tmp_path / "log.csv")
    assert tuple(found[0]) == COLUMNS
    assert [(row["step"], bool(row["training_loss"]), bool(row["held_out_loss"])) for row in found] == [
        ("0", False, True), ("1", True, False), ("2", True, False), ("2", False, True), ("3", True, False),
        ("4", True, False), ("4", False, True), ("5", True, False), ("6", True, False), ("6", False, True),
    ]  # fmt: skip
    assert {row["steps_total"] for row in found} == {"6"}
    assert float(found[1]["training_loss"]) == 1.0


def test_a_training_that_is_taken_up_again_goes_on_below_the_steps_before(tmp_path):
    write(tmp_path / "whole.csv", range(7))
    write(tmp_path / "log.csv", range(5))
    write(tmp_path / "log.csv", range(3, 7))  # the state was saved after step 2
    seconds = [float(row["seconds"]) for row in rows(tmp_path / "log.csv")]
    assert [list(row.values())[:5] for row in rows(tmp_path / "log.csv")] == [
        list(row.values())[:5] for row in rows(tmp_path / "whole.csv")
    ]
    assert seconds == sorted(seconds)


def test_a_last_row_that_is_torn_is_left_out(tmp_path):
    write(tmp_path / "log.csv", range(5))
    with (tmp_path / "log.csv").open("a") as file:
        file.write("4,6,acoustic model,1.0,,")
    write(tmp_path / "log.csv", range(5, 7))
    assert [row["step"] for row in rows(tmp_path / "log.csv")][-4:] == ["4", "5", "6", "6"]


def test_a_new_training_begins_a_new_table(tmp_path):
    write(tmp_path / "log.csv", range(7))
    write(tmp_path / "log.csv", range(1))
    assert len(rows(tmp_path / "log.csv")) == 1


@pytest.mark.parametrize("before", [b"", b"other,columns\n1,2\n", b"\xff\xfe", b"step,steps_total", b"x" * 200_000])
def test_what_stood_there_and_is_no_such_table_is_replaced(tmp_path, before):
    (tmp_path / "log.csv").write_bytes(before)
    write(tmp_path / "log.csv", range(3, 5))
    assert [row["step"] for row in rows(tmp_path / "log.csv")] == ["3", "4", "4"]


def test_nothing_is_written_through_a_link(tmp_path):
    (tmp_path / "other").write_text("kept")
    (tmp_path / "log.csv").symlink_to("other")
    write(tmp_path / "log.csv", range(2))
    assert (tmp_path / "other").read_text() == "kept"
    assert len(rows(tmp_path / "log.csv")) == 2


def test_a_place_that_cannot_be_written_is_told_once_and_the_training_goes_on(tmp_path):
    notes: list[str] = []
    write(tmp_path / "no_such_folder/log.csv", range(7), notes)
    assert notes == ["no more rows in log.csv: No such file or directory"]
