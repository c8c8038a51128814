"""Shards in processes of this machine: however many and whatever is killed, the bytes are those of one process that ran through."""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from acceptance.production.engines.local import Local
from tests.acceptance.production.engines.conftest import SHARDS
from tests.trainer.production import batches
from trainer.errors import RuntimeSetupError, TrainingError
from trainer.production import layout, merging, plan, shard

pytestmark = pytest.mark.long


def contents(batch: Path) -> list[dict[str, bytes]]:
    return [batches.content(layout.shard_folder(batch, index, len(SHARDS))) for index in SHARDS]


def test_one_process_and_two_give_the_same_bytes(spoken: Path, batch: Path) -> None:
    for index in SHARDS:
        shard.run(batch, index)
    assert contents(batch) == contents(spoken)


def test_a_killed_process_names_its_shard_and_the_next_run_goes_on(spoken: Path, batch: Path) -> None:
    takes: list[int] = []

    def kill_one() -> None:
        takes.append(1)
        if len(takes) == 1:
            os.kill(multiprocessing.active_children()[0].pid or 0, signal.SIGKILL)

    with pytest.raises(
        TrainingError, match=r"one of 2 processes at shard [1-4] was killed, mostly for memory"
    ) as caught:
        Local(processes=2).run(batch, SHARDS, on_take=kill_one)
    assert caught.value.cause == "out_of_memory"
    found = plan.read(batch)
    done: list[int] = []
    left = merging.unfinished(batch, found)
    assert left
    Local(processes=1).run(batch, left, on_shard=done.append)
    assert done == left
    merging.require_whole(batch, found)
    assert contents(batch) == contents(spoken)


def test_what_ends_a_shard_arrives_with_its_cause_and_its_name(batch: Path) -> None:
    # An encoder of the reference that nobody here has.
    batches.make(batch, shards=2, encoder_sha256="1" * 64)
    with pytest.raises(
        RuntimeSetupError, match=r"shard 1 of 2: the plan was made with other judges \(speaker_encoder"
    ) as caught:
        Local(processes=1).run(batch, [1])
    assert caught.value.cause == "pins_differ"
