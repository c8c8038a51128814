"""`python -m trainer run` and `python -m trainer shard`: the container's entries. Every other command is in the program `voice`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from trainer.renamed import tell
from trainer.wait_policy import wait_asleep


def main(arguments: Sequence[str]) -> int:
    """Run the job that the environment describes, or one shard of a batch; returns 0, 10, 20 or 30, and 2 for anything else."""
    command, *rest = [*arguments, ""]
    if command == "shard":
        wait_asleep()
        from trainer.job.shard_job import run_shard

        return run_shard(rest[:-1], sys.stdout)
    if list(arguments) != ["run"]:
        return tell("trainer", arguments)
    wait_asleep()
    from trainer.job.run import run

    return run(os.environ, sys.stdout)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
