"""Training beside busy neighbours: CPU-seconds and wall time by the way the threads wait for each other.

    python -m tests.benchmarks.busy_neighbours [--neighbours 0 1 2] [--candidates default passive ...] [--steps 40] [--limit 300]

Each row is one short real training (two threads, a rendered recording of eighteen sentences) beside so many processes that only count. The
neighbours belong to the same session as the training: with sched_autogroup the kernel shares the processor between sessions first.
`loss` compares CPU-seconds with the default candidate when it is quiet; a `>` marks a training that reached the limit.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from trainer.preparation.prepare import PrepareSettings, prepare
from trainer.teachers import demo_recording

CANDIDATES = {
    "default": ({}, 2),
    "active": ({"OMP_WAIT_POLICY": "ACTIVE"}, 2),
    "passive": ({"OMP_WAIT_POLICY": "PASSIVE"}, 2),
    "spin-1000": ({"GOMP_SPINCOUNT": "1000"}, 2),
    "spin-10000": ({"GOMP_SPINCOUNT": "10000"}, 2),
    "one-thread": ({}, 1),
}
"""Environment and threads by name. KMP_BLOCKTIME is Intel's; torch's wheel carries GNU's library, whose counterpart is GOMP_SPINCOUNT."""
_READ_BY_OPENMP = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME", "OMP_NUM_THREADS")
_TRAIN = "import sys; from trainer import commands, __main__ as program; sys.exit(commands.train(program._parser('train').parse_args(sys.argv[1:])))"
"""The command without the program's own setting of the policy, so that the candidate alone decides."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one training took, and the SHA-256 of its checkpoint (empty when it was not finished)."""

    cpu_s: float
    wall_s: float
    sha256: str


def main() -> int:
    """Print one row per candidate and number of neighbours; 1 when a checkpoint's bytes depend on the way of waiting."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--neighbours", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument(
        "--candidates", nargs="+", choices=CANDIDATES, default=["default", "passive", "spin-1000", "one-thread"]
    )
    parser.add_argument("--steps", type=int, default=40, help="half of them against discriminators (%(default)s)")
    parser.add_argument(
        "--limit", type=float, default=300.0, help="seconds after which a training is ended (%(default)s)"
    )
    options = parser.parse_args()
    print(f"{'candidate':<12}{'neighbours':>11}{'CPU-s':>10}{'wall s':>10}{'loss':>8}", flush=True)
    quiet, bytes_by_threads = 0.0, {}
    with tempfile.TemporaryDirectory() as directory:
        manifest = _dataset(Path(directory))
        for neighbours in options.neighbours:
            for name in options.candidates:
                environment, threads = CANDIDATES[name]
                found = _train(manifest, environment, threads, neighbours, options)
                quiet = quiet or found.cpu_s
                mark = " " if found.sha256 else ">"
                print(
                    f"{name:<12}{neighbours:>11}{mark}{found.cpu_s:>9.1f}{mark}{found.wall_s:>9.1f}{found.cpu_s / quiet:>8.2f}",
                    flush=True,
                )
                if found.sha256:
                    bytes_by_threads.setdefault(threads, set()).add(found.sha256)
    same = all(len(sums) == 1 for sums in bytes_by_threads.values())
    print("checkpoints with the same number of threads: " + ("the same bytes" if same else "DIFFERENT bytes"))
    return 0 if same else 1


def _dataset(directory: Path) -> Path:
    recording = directory / "recording.flac"
    demo_recording.render(recording, recording.with_suffix(".txt"), sentences=demo_recording.SENTENCES[:18])
    manifest = directory / "manifest.json"
    prepare(recording, manifest, PrepareSettings(), workspace=directory, transcribe=True)
    return manifest


def _train(
    manifest: Path, environment: dict[str, str], threads: int, neighbours: int, options: argparse.Namespace
) -> Measured:
    checkpoint = manifest.with_name("voice.pt")
    for path in manifest.parent.glob("voice.pt*"):
        path.unlink()
    half = str(options.steps // 2)
    settings = {"SPECTRAL_STEPS": half, "ADVERSARIAL_STEPS": half, "EVALUATE_EVERY": half}
    given = {name: value for name, value in os.environ.items() if name not in _READ_BY_OPENMP}
    given |= {f"VOICE_NATURAL_{name}": value for name, value in settings.items()} | environment
    command = [
        sys.executable,
        "-c",
        _TRAIN,
        "train",
        str(manifest),
        f"--checkpoint={checkpoint}",
        f"--threads={threads}",
    ]
    with _busy(neighbours):
        began = time.monotonic()
        process = subprocess.Popen(command, env=given, stdout=subprocess.DEVNULL, stderr=sys.stderr)
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() - began > options.limit:
                process.kill()
            time.sleep(0.05)
        wall = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode > 0:
        raise SystemExit(f"the training ended with exit status {process.returncode}; its own message stands above")
    finished = process.returncode == 0
    return Measured(
        cpu_s=usage.ru_utime + usage.ru_stime,
        wall_s=wall,
        sha256=hashlib.sha256(checkpoint.read_bytes()).hexdigest() if finished else "",
    )


@contextlib.contextmanager
def _busy(count: int) -> Iterator[None]:
    """So many processes of this session that only count, for as long as the block runs."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


if __name__ == "__main__":
    sys.exit(main())
