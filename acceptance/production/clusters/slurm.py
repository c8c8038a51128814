"""An array script for Slurm: one shard of a batch a task, put back into the queue where another try may help."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from acceptance.failure import HarnessError
from acceptance.production.clusters.retries import HOPELESS, HOPELESS_FOR_ALL, TRIES

_GRACE_S = 120
"""Before its time is over, a task is asked to stop: it goes on where it stopped."""
_TIME = re.compile(r"(\d{1,3}-)?\d{1,3}(:\d{2}){0,2}")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._,-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Array:
    """What the tasks of an array are told."""

    name: str
    batch: Path
    """As every node sees it."""
    python: str
    """The interpreter of the project's environment, as every node sees it."""
    count: int
    parallel: int
    cpus: int
    memory_bytes: int
    time: str
    partition: str | None = None
    account: str | None = None
    tries: int = TRIES

    def __post_init__(self) -> None:
        for option, value in (("--name", self.name), ("--partition", self.partition), ("--account", self.account)):
            if value is not None and not _WORD.fullmatch(value):
                raise _unusable(option, value, "letters, digits, dots, dashes and underscores")
        if not _TIME.fullmatch(self.time):
            raise _unusable("--time", self.time, "minutes, [HOURS:]MINUTES:SECONDS or DAYS-HOURS")
        for option, value in (("BATCH", str(self.batch)), ("--python", self.python)):
            if not value.isprintable() or not value.startswith("/") or "%" in value or "\\" in value or '"' in value:
                raise _unusable(option, value, "an absolute path without %, quotes and backslashes")


def script(array: Array) -> str:
    """A bash script for `sbatch`."""
    asked = {
        "job-name": array.name,
        "array": f"1-{array.count}%{min(array.parallel, array.count)}",
        "cpus-per-task": array.cpus,
        "mem": f"{-(-array.memory_bytes // 2**20)}M",
        "time": array.time,
        "partition": array.partition,
        "account": array.account,
        "output": f'"{array.batch}/slurm-%A_%a.log"',
        "open-mode": "append",
        "signal": f"B:TERM@{_GRACE_S}",
    }
    lines = [f"#SBATCH --{name}={value}" for name, value in asked.items() if value is not None]
    hopeless = " | ".join(str(int(status)) for status in sorted((*HOPELESS, *HOPELESS_FOR_ALL)))
    return _SCRIPT.format(
        directives="\n".join([*lines, "#SBATCH --requeue"]), batch=shlex.quote(str(array.batch)), python=shlex.quote(array.python),
        tries=array.tries, hopeless=hopeless, shards=array.count,
    )  # fmt: skip


_SCRIPT = """\
#!/usr/bin/env bash
# Written by voice export slurm: one shard of a batch a task. Submit it with: sbatch THIS_FILE
# A task whose node is lost goes back into the queue. So does one that ends for want of memory, disk or time, {tries} times at most.
# A shard goes on where it stopped, and one that is done is not touched.
{directives}
set -u

batch={batch}
python={python}
task="${{SLURM_ARRAY_JOB_ID}}_${{SLURM_ARRAY_TASK_ID}}"

"$python" -m trainer shard "$batch" "$SLURM_ARRAY_TASK_ID" &
shard=$!
asked=""
trap 'asked=yes; kill -TERM "$shard" 2>/dev/null' TERM
# A signal ends wait early: wait again. 127: the shard was collected before, and its first status counts.
status=""
while :; do
  asked=""
  wait "$shard"
  waited=$?
  [ "$waited" -eq 127 ] && [ -n "$status" ] && break
  status=$waited
  [ -z "$asked" ] && break
done

case "$status" in
  0) echo "shard $SLURM_ARRAY_TASK_ID of {shards}: done" ;;
  {hopeless}) echo "shard $SLURM_ARRAY_TASK_ID of {shards}: ended with $status; another try would end the same way" ;;
  *)
    if [ "${{SLURM_RESTART_COUNT:-0}}" -lt {tries} ]; then
      echo "shard $SLURM_ARRAY_TASK_ID of {shards}: ended with $status; it goes back into the queue"
      scontrol requeue "$task" && sleep 30
    fi
    echo "shard $SLURM_ARRAY_TASK_ID of {shards}: ended with $status"
    ;;
esac
exit "$status"
"""


def _unusable(option: str, value: str, wanted: str) -> HarnessError:
    return HarnessError(f"{option} {value!r} cannot stand in a Slurm script; give {wanted}", cause="settings_invalid")
