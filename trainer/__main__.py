"""`python -m trainer run`: the container's entry. Every other command is in the program `voice`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from trainer.renamed import tell
from trainer.wait_policy import wait_asleep


def main(arguments: Sequence[str]) -> int:
    """Run the job that the environment describes; returns 0, 10, 20 or 30, and 2 for anything but `run`."""
    if list(arguments) != ["run"]:
        return tell("trainer", arguments)
    wait_asleep()
    from trainer.job.run import run

    return run(os.environ, sys.stdout)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
