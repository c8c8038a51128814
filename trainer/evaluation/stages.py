"""CPU-seconds by stage of the work on clips."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field

SPEAK, SIGNAL, SIMILARITY, REALISM, INTELLIGIBILITY = "speak", "signal", "similarity", "realism", "intelligibility"
Stage = Callable[[str], AbstractContextManager[None]]
"""Gets the name of a stage; what runs inside is of it."""


@dataclass(slots=True)
class Stages:
    """Counts what this process spends in each stage; call it with a stage's name."""

    cpu_s: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Counts what runs inside as of this stage."""
        started = time.process_time()
        try:
            yield
        finally:
            self.cpu_s[name] = self.cpu_s.get(name, 0.0) + time.process_time() - started


def uncounted(name: str) -> AbstractContextManager[None]:
    """A stage that nobody counts."""
    return nullcontext()
