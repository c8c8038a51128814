"""How the threads of a computation wait for each other: asleep instead of spinning. Imports nothing heavy."""

from __future__ import annotations

import os
from collections.abc import MutableMapping

VARIABLE = "OMP_WAIT_POLICY"
ASLEEP = "PASSIVE"
"""By default GNU's OpenMP, which torch's wheel carries, spins at every barrier for milliseconds. Beside a busy neighbour a spinning thread
burns the time that the thread it waits for would need. Measured by tests/benchmarks/busy_neighbours.py."""


def wait_asleep(environ: MutableMapping[str, str] = os.environ) -> None:
    """Sets the wait policy, unless the person has set one; call before torch is imported.

    The library reads it once, when it is loaded. Child processes inherit it.
    """
    environ.setdefault(VARIABLE, ASLEEP)
