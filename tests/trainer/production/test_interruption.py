"""Killed, stopped or out of space at any point, a shard goes on where it stopped and has the bytes of one that ran through."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from tests.acceptance import small_disk
from tests.trainer.production import batches, started_shard
from tests.trainer.production.batches import ROOT
from trainer.errors import TrainingError
from trainer.production import layout, merging, plan, shard, timing, verification

pytestmark = pytest.mark.long

KILLS = 20
LOADING_KILLS = 4
"""Of them, those of a whole program in its first seconds."""
TEXTS = tuple(f"Line {word}." for word in "one two three four five six seven eight nine ten".split())


def rows_in(place: Path) -> int:
    takes = place / layout.TAKES
    return takes.read_bytes().count(b"\n") if takes.exists() else 0


def wait_for_rows(process: ForkServerProcess, place: Path, more: int) -> None:
    """Until so many rows were added to a shard, or the process ends."""
    wanted = rows_in(place) + more
    while process.is_alive() and rows_in(place) < wanted:
        time.sleep(0.002)


def test_killed_at_twenty_random_points_it_has_the_same_bytes(tmp_path: Path) -> None:
    whole, batch = tmp_path / "whole", tmp_path / "batch"
    batches.make(whole, TEXTS, takes=4)
    shutil.copytree(whole, batch)
    shard.run(whole, 1)
    pace = timing.of(layout.shard_folder(whole, 1, 1)).wall_s / (4 * len(TEXTS))
    place = layout.shard_folder(batch, 1, 1)
    chance = random.Random(11)
    killed, rows = 0, set()
    for _ in range(LOADING_KILLS):
        loading = started_shard.program(batch)
        time.sleep(chance.uniform(0.0, 3.0))
        loading.kill()
        loading.communicate()
        killed += loading.returncode == -signal.SIGKILL
    for _ in range(KILLS - LOADING_KILLS):
        process = started_shard.fork(batch)
        # While it speaks, while it judges, while it writes: before, between and after rows.
        wait_for_rows(process, place, more=chance.randint(0, 1))
        time.sleep(chance.uniform(0.0, 1.5 * pace))
        process.kill()
        process.join()
        killed += process.exitcode == -signal.SIGKILL
        rows.add(rows_in(place))
    assert killed == KILLS and len(rows) > 5, (killed, rows)
    assert started_shard.program(batch).wait() == 0
    verification.check(batch, 1)
    assert batches.content(place) == batches.content(layout.shard_folder(whole, 1, 1))


def test_sigterm_ends_it_with_the_status_of_the_contract_and_the_next_start_goes_on(tmp_path: Path) -> None:
    batches.make(tmp_path, TEXTS)
    process = started_shard.program(tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == "SHARD 1/1 1 of 10 takes\n"
    process.send_signal(signal.SIGTERM)
    rest = process.communicate()[0]
    assert process.returncode == 30
    assert "FAILURE cause=interrupted message=" in rest
    place = layout.shard_folder(tmp_path, 1, 1)
    kept = (place / layout.TAKES).read_bytes()
    assert kept.count(b"\n") >= 1 and not list(place.rglob(".*.tmp"))
    process = started_shard.program(tmp_path)
    assert process.communicate()[0].endswith("SHARD 1/1 done: 10 takes\n")
    assert (place / layout.TAKES).read_bytes().startswith(kept)


@pytest.mark.parametrize(
    ("arguments", "status", "cause"),
    [
        (["nowhere", "1"], 10, "plan_missing"),
        (["batch", "3"], 10, "plan_invalid"),
        (["batch", "one"], 20, "settings_invalid"),
        (["batch"], 20, "settings_invalid"),
    ],
)
def test_what_cannot_begin_is_one_line_with_its_status(
    tmp_path: Path, arguments: list[str], status: int, cause: str
) -> None:
    batches.make(tmp_path / "batch", shards=2)
    found = subprocess.run(
        [sys.executable, "-m", "trainer", "shard", *arguments],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.returncode == status
    assert found.stdout.startswith(f"FAILURE cause={cause} message=") and found.stdout.count("\n") == 1
    assert found.stderr == ""


def test_a_disk_that_fills_ends_the_shard_by_name_and_with_space_it_goes_on(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    with small_disk.mounted(disk, "size=2m"):
        batch = disk / "batch"
        batches.make(batch, TEXTS)
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        ballast = disk / "ballast"
        ballast.write_bytes(b"\0" * (free - 150_000))
        with pytest.raises(TrainingError, match=r"shard 1 of 1: .*no space left") as caught:
            shard.run(batch, 1)
        assert caught.value.cause == "disk_full"
        found = plan.read(batch)
        assert merging.unfinished(batch, found) == [1]
        ballast.unlink()
        told: list[int] = []
        shard.run(batch, 1, on_take=lambda: told.append(1))
        assert len(told) == len(TEXTS)
        merging.require_whole(batch, found)
