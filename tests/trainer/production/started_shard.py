"""Shards in processes that can be killed: one as a container starts it, or a fork of a process that has loaded everything."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from tests.trainer.production.batches import ROOT

_LOADED = "tests.trainer.production.loaded_judges"


def program(batch: Path, index: int = 1) -> subprocess.Popen[str]:
    """`python -m trainer shard`."""
    return subprocess.Popen(
        [sys.executable, "-m", "trainer", "shard", str(batch), str(index)],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def fork(batch: Path, index: int = 1) -> ForkServerProcess:
    """The same work; it begins at once, where a program takes seconds to import and to load."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([_LOADED])
    process = context.Process(target=_run, args=(batch, index), daemon=True)
    process.start()
    return process


def _run(batch: Path, index: int) -> None:
    from trainer.production import shard

    shard.run(batch, index)
