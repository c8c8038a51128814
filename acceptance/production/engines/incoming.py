"""A shard whose takes are made elsewhere and written here, as they come."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from acceptance.production.engines.base import OnTake
from trainer.files.atomic_file import write_atomically
from trainer.production import shard_folder, takes, timing
from trainer.production.plan import Plan
from trainer.production.remote import RemoteTake
from trainer.production.shard_folder import ShardFolder
from trainer.production.takes import Take
from trainer.production.timing import Timing


@dataclass(slots=True, kw_only=True)
class IncomingShard:
    """Shard `index`, held against other writers until it is finished."""

    folder: ShardFolder
    kept: int
    """Takes that are in place."""
    on_take: OnTake | None
    held: ExitStack
    expected: Iterator[Take]
    """The takes that are to come."""
    losses: int = 0
    """How often in a row its task was lost."""
    cost: Timing = field(default_factory=Timing)

    @classmethod
    def opened(cls, stack: ExitStack, batch: Path, plan: Plan, index: int, on_take: OnTake | None) -> IncomingShard:
        """Hold a shard and see what is in place; raises as `ShardFolder`. `stack` lets it go if the engine fails."""
        folder = shard_folder.of(batch, plan, index)
        held = stack.enter_context(ExitStack())
        held.enter_context(folder.held())
        kept = folder.healed()
        expected = itertools.islice(folder.tasks(), kept, None)
        shard = cls(folder=folder, kept=kept, on_take=on_take, held=held, expected=expected)
        held.callback(shard._remember_cost)
        if on_take:
            for _ in range(kept):
                on_take()
        return shard

    @property
    def index(self) -> int:
        """Its number."""
        return self.folder.index

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"shard {self.index} of {self.folder.plan.shards}"

    @property
    def whole(self) -> bool:
        """Whether every take is in place."""
        return self.kept == self.folder.plan.takes_of(self.index)

    def add(self, found: RemoteTake) -> None:
        """Write the next take: its clip, then its row; raises DataError(shard_invalid) for anything but the next one, and TrainingError."""
        try:
            row = takes.loads(found.line)
        except ValueError as error:
            raise self.folder.invalid(f"the cluster gave a take that does not hold: {error}") from error
        digest = hashlib.sha256(found.clip).hexdigest() if found.clip is not None else None
        expected = next(self.expected, None)
        if row.sha256 != digest or expected is None or not takes.is_of(row, expected):
            raise self.folder.invalid("the cluster gave another take than the next one")
        if row.file is not None and found.clip is not None:
            write_atomically(self.folder.clips / row.file, found.clip)
        self.folder.append(row)
        self.kept += 1
        self.losses = 0
        self.cost = self.cost.plus(found.timing)
        if self.on_take:
            self.on_take()

    def finish(self) -> None:
        """Write done.json and let the shard go."""
        if not self.whole:
            raise self.folder.invalid(f"the cluster gave {self.kept} of {self.folder.plan.takes_of(self.index)} takes")
        self.folder.finish()
        self.held.close()

    def _remember_cost(self) -> None:
        timing.add(self.folder.place, self.cost)
