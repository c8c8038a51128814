"""The time of a batch adds up over its starts; its cost is told if it is known: this machine's time at the policy's price of an hour."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from acceptance.failure import HarnessError
from acceptance.policy import Policy
from acceptance.production import batch_timing
from tests.acceptance.production import batch_folders
from trainer.production import layout, plan, timing
from trainer.production.timing import Timing

PRICES = replace(Policy().cost, currency="EUR", rate_per_hour=3.6, rates={})


@pytest.fixture
def batch(tmp_path: Path) -> Path:
    batch_folders.make(tmp_path, 2)
    return tmp_path


def written(batch: Path, *engines: str, approved: int = 4) -> dict[str, object] | None:
    path = batch / layout.TIMING
    path.write_text(json.dumps({"schema": batch_timing.SCHEMA, "wall_s": 100.0, "engines": engines}))
    found = plan.loads((batch / layout.PLAN).read_bytes())
    return batch_timing.write(batch, found, PRICES, approved=approved)["cost"]


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


def test_the_time_of_this_machine_has_its_price(batch):
    cost = {"currency": "EUR", "rate_per_hour": 3_600_000, "total": 100_000, "per_approved_utterance": 25_000}
    assert written(batch, "local, 2 processes") == cost


def test_without_an_approved_take_none_has_a_cost(batch):
    cost = written(batch, "local, 1 process", approved=0)
    assert cost is not None
    assert cost["per_approved_utterance"] is None


@pytest.mark.parametrize("engines", [(), ("ray",), ("local, 1 process", "ray")])
def test_what_other_machines_cost_is_not_known(batch, engines):
    assert written(batch, *engines) is None


def test_the_time_of_a_merged_batch_is_that_of_its_shards_and_its_cost_is_not_known(batch):
    found = plan.loads((batch / layout.PLAN).read_bytes())
    timing.add(layout.shard_folder(batch, 1, 1), Timing(takes=4, audio_s=10.0, wall_s=300.0))
    written(batch, "local, 1 process")
    batch_timing.shared(batch)
    document = batch_timing.write(batch, found, PRICES, approved=4)
    assert (document["wall_s"], document["clips_per_minute"], document["cost"]) == (300.0, 0.8, None)
    assert document["engines"] == ["local, 1 process", "other machines"]


def test_two_commands_at_the_same_time_count_once_and_neither_is_lost(tmp_path: Path) -> None:
    def command(number: int) -> None:
        with batch_timing.measured(tmp_path, f"local, {number} processes"):
            time.sleep(0.3)

    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(command, range(8)))
    passed = time.monotonic() - began
    found = batch_timing.read(tmp_path)
    assert len(found["engines"]) == 8 and 0.3 <= found["wall_s"] <= passed + 0.01 < 8 * 0.3
    command(8)
    assert batch_timing.read(tmp_path)["wall_s"] >= found["wall_s"] + 0.299


@pytest.mark.parametrize("intervals", ["[[1]]", "[1]", '[["a", 2]]', "3"])
def test_intervals_that_do_not_hold_count_as_none(tmp_path: Path, intervals: str) -> None:
    document = f'{{"schema": "{batch_timing.SCHEMA}", "wall_s": 1.0, "engines": [], "intervals": {intervals}}}'
    (tmp_path / layout.TIMING).write_text(document)
    assert batch_timing.read(tmp_path) == {}


def test_the_summed_up_file_keeps_what_a_later_start_needs(batch):
    with batch_timing.measured(batch, "local, 1 process"):
        pass
    found = plan.loads((batch / layout.PLAN).read_bytes())
    intervals = batch_timing.read(batch)["intervals"]
    assert intervals and batch_timing.write(batch, found, PRICES, approved=4)["intervals"] == intervals
