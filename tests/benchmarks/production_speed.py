"""Benchmark: what a judged take costs by stage, and what a second local process gains.

    python -m tests.benchmarks.production_speed BATCH [--least-gain 1.7]

BATCH is a planned batch (`voice produce … --shards 4 --plan-only`); its shards are made in copies of it, once with one process and once with
two, and have to have the same bytes. Prints one JSON object; the gain says nothing on a machine that has other things to do. Exits 1 below the
least gain.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from acceptance.production.engines.local import Local
from trainer.production import layout, plan, timing
from trainer.production.plan import Plan


def main() -> int:
    """Measure, print, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("batch", type=Path)
    parser.add_argument("--least-gain", type=float, default=0.0)
    options = parser.parse_args()
    found = plan.read(options.batch)
    with tempfile.TemporaryDirectory(prefix="voice-speed-") as directory:
        one, two = (_measured(options.batch, found, Path(directory), processes) for processes in (1, 2))
        same = _takes(Path(directory) / "1", found) == _takes(Path(directory) / "2", found)
    gain = one["wall_s"] / two["wall_s"]
    print(json.dumps({"one_process": one, "two_processes": two, "gain": round(gain, 2), "same_bytes": same}, indent=1))
    return 0 if same and gain >= options.least_gain else 1


def _measured(batch: Path, found: Plan, directory: Path, processes: int) -> dict[str, Any]:
    copy = directory / str(processes)
    copy.mkdir()
    for name in layout.INPUTS:
        shutil.copy(batch / name, copy / name)
    load, started = os.getloadavg()[0], time.monotonic()
    Local(processes=processes).run(copy, range(1, found.shards + 1))
    wall_s = time.monotonic() - started
    cost = timing.Timing()
    for index in range(1, found.shards + 1):
        cost = cost.plus(timing.of(layout.shard_folder(copy, index, found.shards)))
    return {
        "takes": cost.takes,
        "audio_s": round(cost.audio_s, 1),
        "wall_s": round(wall_s, 1),
        "takes_per_minute": round(60 * cost.takes / wall_s, 1),
        "real_time_factor": round(wall_s / cost.audio_s, 3),
        "cpu_s_of_loading": round(cost.cpu_s["load"], 2),
        "cpu_s_a_take": {
            name: round(seconds / cost.takes, 3) for name, seconds in cost.cpu_s.items() if name != "load"
        },
        "load_average_before": round(load, 1),
    }


def _takes(batch: Path, found: Plan) -> list[bytes]:
    return [
        (layout.shard_folder(batch, index, found.shards) / layout.TAKES).read_bytes()
        for index in range(1, found.shards + 1)
    ]


if __name__ == "__main__":
    sys.exit(main())
