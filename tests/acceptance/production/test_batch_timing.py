"""The time of a batch adds up over its starts, also over those that ended in an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from acceptance.failure import HarnessError
from acceptance.production import batch_timing


def test_the_seconds_of_several_starts_add_up_with_their_engines(tmp_path: Path) -> None:
    with batch_timing.measured(tmp_path, "local, 1 process"):
        pass
    first = batch_timing.read(tmp_path)["wall_s"]
    with pytest.raises(ZeroDivisionError), batch_timing.measured(tmp_path, "local, 2 processes"):
        raise ZeroDivisionError
    again = batch_timing.read(tmp_path)
    assert again["wall_s"] >= first >= 0 and again["engines"] == ["local, 1 process", "local, 2 processes"]


def test_a_time_that_cannot_be_written_does_not_hide_why_the_batch_ended(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HarnessError, match="shard 3"), batch_timing.measured(tmp_path / "file", "local"):
        raise HarnessError("shard 3: the disk is full", cause="disk_full")


def test_a_file_that_does_not_hold_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "timing.json").write_text('{"schema": "another"}')
    assert batch_timing.read(tmp_path) == {}
