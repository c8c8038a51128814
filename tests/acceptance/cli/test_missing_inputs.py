"""Every command answers at once where its input is not there: nothing heavy is imported for that."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from acceptance.objective import PROJECT_ROOT

pytestmark = pytest.mark.session

MISSING = {
    "announce": ("announce", "absent"),
    "say": ("say", "x", "--checkpoint", "nowhere.pt", "-o", "x.wav"),
    "prepare": ("prepare", "nowhere.flac", "--output", "out"),
    "manifest create": ("manifest", "create", "nowhere"),
    "manifest verify": ("manifest", "verify", "nowhere.json"),
    "manifest compare": ("manifest", "compare", "nowhere.json", "nowhere.json"),
    "evaluate": ("evaluate", "--generated", "nowhere", "--reference", "nowhere", "--without-texts"),
    "scorecard": ("scorecard", "nowhere.json"),
    "compare": ("compare", "a", "b"),
    "calibrate": ("calibrate", "--runs", "nowhere.json", "a.json", "b.json"),
    "report": ("report", "nowhere"),
    "produce": ("produce", "nowhere.txt", "--output", "out", "--checkpoint", "nowhere.pt"),
    "merge": ("merge", "nowhere", "elsewhere"),
    "fleet": ("fleet", "nowhere"),
    "consent show": ("consent", "show", "nowhere.toml"),
    "promote": ("promote", "nowhere"),
    "verify": ("verify", "nowhere.pt", "--signature", "nowhere.sig", "--key", "nowhere.pub"),
    "cost report": ("cost", "report", "--workspace", "nowhere"),
    "train": ("train", "nowhere.json", "--checkpoint", "voice.pt"),
    "pretrain readers": ("pretrain", "readers", "nowhere.json", "--licence", "mine"),
    "remeasure": ("remeasure", "nowhere.pt", "nowhere.json"),
    "resynthesize": ("resynthesize", "nowhere.pt", "nowhere.json", "--output", "out"),
    "export onnx": ("export", "onnx", "nowhere.pt", "--output", "out"),
    "benchmark rate": ("benchmark", "rate", "nowhere", "--reference", "nowhere"),
    "benchmark run": ("benchmark", "run", "--manifest", "nowhere.json", "--output", "out"),
}
PROGRAM = (
    "import resource, sys\nfrom acceptance.cli.main import run\nstatus = run(sys.argv[1:])\n"
    "used = resource.getrusage(resource.RUSAGE_SELF)\n"
    # Not ru_maxrss: it holds what the process was before its program was loaded, a copy of the test's own.
    "peak = next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM'))\n"
    "print('USED', used.ru_utime + used.ru_stime, peak, 'torch' in sys.modules)\nsys.exit(status)\n"
)


@pytest.mark.parametrize("name", MISSING)
def test_a_missing_input_is_named_in_a_second_and_100_mb(name: str, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, *MISSING[name]], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(PROJECT_ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 2 and "internal error" not in ended.stderr, ended.stderr
    seconds, kib, torch = ended.stdout.rpartition("USED ")[2].split()
    assert torch == "False"
    assert float(seconds) < 2, "processor time, beside busy neighbours; under 1 on a quiet machine"
    assert int(kib) < 100 * 1024


def test_no_command_is_left_out() -> None:
    from acceptance.cli.main import COMMANDS

    without_input = {
        "causes",
        "thresholds",
        "versions",
        "rollback",
        "keep",
        "prune",
        "init",
        "demo-recording",
        "pretrain",
    }
    assert {name.split()[0] for name in MISSING} | without_input >= set(COMMANDS)
