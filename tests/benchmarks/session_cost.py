"""Processor seconds of a session beside its job: success, and blocked before phase 4; the job is a few lines of shell.

    python -m tests.benchmarks.session_cost WORKSPACE

WORKSPACE is one in which `pytest acceptance --objective=demo` succeeded: its artifacts are delivered again by a job that costs nothing, so
that all that is measured is the session's own. Without it only the blocked session is measured. `not measured` leaves out the host's own
measurement of what was learnt: the difference to `success` is what that takes.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from acceptance.objective import PROJECT_ROOT

CONTRACT = PROJECT_ROOT / "tests/acceptance/job.sh"
DATASET, STATUS = "artifacts/demo/dataset", "artifacts/demo/status/train_status.json"
VOICE = "artifacts/demo/checkpoints/demo_voice.pt"
RECORDING = "artifacts/demo/data/demo_recording.flac"


def main() -> None:
    """Print one line for each kind of session."""
    with tempfile.TemporaryDirectory(prefix="session-cost-") as directory:
        place = Path(directory)
        print(f"{'session':<24} {'exit':>4} {'CPU s':>7} {'wall s':>7}")
        row("blocked in preflight", place / "empty", ())
        for given in sys.argv[1:]:
            kit = replay(Path(given), place)
            job = f'command=/bin/sh -c ". {kit}/job.sh"'
            row("blocked in readiness", place / "workspace", ("--set", "command=/bin/sh -c 'exit 20'"))
            row("success, not measured", place / "workspace", ("--set", job, "--set", "remeasure=false"))
            row("success", place / "workspace", ("--set", job))


def row(name: str, workspace: Path, options: tuple[str, ...]) -> None:
    """Run one session and print what it used."""
    workspace.mkdir(exist_ok=True)
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command = [
        sys.executable,
        "-m",
        "pytest",
        "acceptance",
        "-q",
        "-p",
        "no:cacheprovider",
        "--objective=demo",
        "--runtime=process",
    ]
    ended = subprocess.run(
        [*command, f"--workspace={workspace}", *options],
        cwd=PROJECT_ROOT,
        env=os.environ,
        capture_output=True,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{name:<24} {ended.returncode:>4} {used:>7.2f} {time.monotonic() - began:>7.1f}", flush=True)


def replay(source: Path, place: Path) -> Path:
    """A workspace with the recording, and a job that copies the artifacts of `source` into it; the folder of the job."""
    kit = place / "kit"
    (place / "workspace" / RECORDING).parent.mkdir(parents=True)
    for file in (source / RECORDING).parent.iterdir():
        shutil.copy(file, (place / "workspace" / RECORDING).parent)
    shutil.copytree(source / DATASET, kit / "dataset")
    shutil.copy(source / DATASET / "voice_dataset_manifest.json", kit / "manifest.json")
    shutil.copy(source / VOICE, kit / "checkpoint.pt")
    status = json.loads((source / STATUS).read_text())
    (kit / "status.json").write_text(json.dumps({**status, "run_id": "@RUN_ID@"}))
    (kit / "job.sh").write_text(f"VOICE_WORKSPACE={kit}\n. {CONTRACT}\njob={kit}\ngo\n")
    return kit


if __name__ == "__main__":
    main()
