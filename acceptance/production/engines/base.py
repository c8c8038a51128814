"""What every engine does: make shards of a planned batch whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

OnShard = Callable[[int], None]
OnTake = Callable[[], None]


class Engine(Protocol):
    """Runs shards somewhere; which engine it is changes no byte of them."""

    @property
    def name(self) -> str:
        """What a report calls it, with its size: `local, 2 processes`."""

    def run(
        self, batch: Path, shards: Sequence[int], on_shard: OnShard | None = None, on_take: OnTake | None = None
    ) -> None:
        """Make these shards of a batch whole; `on_shard` gets each as it is done, `on_take` is called for every take that is in place.

        Both are called in the calling thread. What is done stays done: the next call goes on there. Raises TrainerError or HarnessError that
        names the shard.
        """
