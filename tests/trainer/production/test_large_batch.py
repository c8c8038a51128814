"""A batch of a hundred thousand prompts is planned and cut into shards in seconds and little memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

PROGRAM = """
import dataclasses, json, re, sys, time
from pathlib import Path
from trainer.files import json_lines
from trainer.production import layout, plan, takes

small, batch = Path(sys.argv[1]), Path(sys.argv[2])
started = time.process_time()
with json_lines.NewFile(batch / layout.PROMPTS) as said:
    for number in range(100_000):
        said.add({"id": f"{number:06d}", "text": f"This is the sentence with the number {number}, and it says little else."})
for name in (layout.VOICE, layout.REFERENCE, layout.LEFT_OUT):
    (batch / name).write_bytes((small / name).read_bytes())
plan.write(batch, dataclasses.replace(plan.loads((small / layout.PLAN).read_bytes()), prompts=said.listing, takes=2, shards=64))
found = plan.read(batch)
peak_kb = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])  # its own: ru_maxrss is also its parent's
ids = [take.id for index in (1, 33, 64) for take in takes.of_shard(batch, found, index)]
print(json.dumps({
    "cpu_s": time.process_time() - started, "peak_mb": peak_kb / 1024,
    "takes": sum(map(found.takes_of, range(1, 65))), "first": ids[0], "last": ids[-1], "ids": len(ids),
}))
"""


def test_a_hundred_thousand_prompts_cost_seconds_and_little_memory(tmp_path: Path) -> None:
    from tests.trainer.production import batches

    small, batch = tmp_path / "small", tmp_path / "batch"
    batches.make(small)
    batch.mkdir()
    found = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(small), str(batch)],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    values = json.loads(found.stdout)
    assert values["takes"] == 200_000 and values["first"] == "000000" and values["last"] == "099999"
    assert values["cpu_s"] < 10.0 and values["peak_mb"] < 300.0, values
