"""Which ends of a job are worth another try; every scheduler is told the same."""

from __future__ import annotations

from trainer.job.contract import ExitStatus

HOPELESS_FOR_ALL = (ExitStatus.RUNTIME,)
"""Imports, models or settings: the same image fails on every machine, and every shard with it."""
HOPELESS = (ExitStatus.DATA,)
"""What was given must change first: the recording, or the files of this shard's batch."""
# Any other end may be one of the machine (memory, disk, a lost node): a shard and a training go on where they stopped, so another try is cheap.

TRIES = 3
"""How often such an end is tried again, unless somebody says otherwise."""
