"""One finished batch of three shards, made once."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests import shared
from tests.trainer.production import batches


@pytest.fixture(autouse=True)
def one_thread(fixed_threads: None) -> None:
    """As every shard is spoken."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A batch of three prompts in two takes, all three shards done; not to be changed."""

    def make(batch: Path) -> None:
        from trainer.production import shard

        plan = batches.make(batch, takes=2, shards=3)
        for index in range(1, plan.shards + 1):
            shard.run(batch, index)

    return shared.once(tmp_path_factory, "batch", make)
