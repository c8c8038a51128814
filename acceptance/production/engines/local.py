"""Shards in processes of this machine; every shard loads the voice and the judges for itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from acceptance.production.engines.base import OnShard, OnTake
from trainer.preparation import parallel


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """So many processes; one process is spawned as well, so that a killed one is an error and not the end of this program."""

    processes: int = 1

    @property
    def name(self) -> str:
        """`local, 2 processes`."""
        return f"local, {self.processes} process{'es' if self.processes > 1 else ''}"

    def run(
        self, batch: Path, shards: Sequence[int], on_shard: OnShard | None = None, on_take: OnTake | None = None
    ) -> None:
        """As `Engine.run`; raises as `parallel.pool`, naming the shard of a lost process."""
        parallel.as_done(
            partial(_shard, batch),
            shards,
            processes=self.processes,
            name=lambda index: f"shard {index}",
            on_done=on_shard,
            on_progress=on_take,
        )


def _shard(batch: Path, index: int) -> None:
    """In a spawned process."""
    from trainer.production import shard

    shard.run(batch, index, on_take=parallel.tick)
