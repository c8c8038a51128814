"""Harness overhead: wall time of `pytest acceptance -q` minus the same build and run by hand, on a Docker engine.

    python -m tests.benchmarks.harness_overhead [RECORDING] [--rounds 3] [--steps N] [--base IMAGE]

Default: the rendered demonstration recording. By hand is `docker build` and `docker run` with the same context, mounts, limits and
environment. Both are warmed up once (the image is built), then measured in turn; the figures are medians.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path, PurePosixPath

from acceptance import objective as settings
from acceptance.evidence import job
from acceptance.objective import PROJECT_ROOT, parse_size
from trainer.teachers import demo_recording


def main() -> int:
    """Print one line per round and the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recording", type=Path, nargs="?")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--steps", type=int, help="train the vocoder alone, so many steps (default: the objective's own voice)"
    )
    parser.add_argument("--base", default="voice-base:bookworm")
    options = parser.parse_args()
    overrides = [
        f"build_args.BASE_IMAGE={options.base}",
        *(["backbone=vocoder", f"env.VOICE_TRAIN_STEPS={options.steps}"] if options.steps else []),
    ]
    with tempfile.TemporaryDirectory() as directory:
        workspace = Path(directory)
        objective = settings.load("auntie_dottie", overrides=overrides)
        audio = workspace / objective.audio
        audio.parent.mkdir(parents=True)
        if options.recording is None:
            demo_recording.render(audio, audio.with_suffix(".txt"))
        else:
            shutil.copy(options.recording, audio)
        by_harness(workspace, overrides)
        rounds = []
        for number in range(options.rounds):
            harness, hand = by_harness(workspace, overrides), by_hand(workspace, objective)
            rounds.append((harness, hand))
            print(
                f"round {number + 1}: harness {harness:.1f} s, by hand {hand:.1f} s, overhead {harness - hand:+.1f} s",
                flush=True,
            )
    hand = statistics.median(row[1] for row in rounds)
    overhead = statistics.median(row[0] - row[1] for row in rounds)
    print(f"median: by hand {hand:.1f} s, overhead {overhead:+.1f} s ({100 * overhead / hand:+.1f} %)")
    return 0


def by_harness(workspace: Path, overrides: list[str]) -> float:
    """Seconds of one acceptance session; raises CalledProcessError when it is not a success."""
    arguments = [part for override in overrides for part in ("--set", override)]
    return timed([sys.executable, "-m", "pytest", "acceptance", "-q", f"--workspace={workspace}", *arguments])


def by_hand(workspace: Path, objective: settings.Settings) -> float:
    """Seconds of the same build and run with the Docker client."""
    shutil.rmtree(workspace / "checkpoints", ignore_errors=True)
    for path in objective.output_dirs():
        (workspace / path).mkdir(parents=True, exist_ok=True)
    build = ["docker", "build", "-q", "-f", objective.dockerfile, "-t", objective.image]
    build += [part for key, value in objective.build_args.items() for part in ("--build-arg", f"{key}={value}")]
    root = PurePosixPath(objective.mount_point)
    run = [
        "docker",
        "run",
        "--rm",
        "--init",
        "--read-only",
        "--tmpfs",
        "/tmp",
        "--cap-drop",
        "ALL",
        "--network",
        "none",
    ]
    run += [
        "--security-opt",
        "no-new-privileges",
        "--user",
        f"{os.getuid()}:{os.getgid()}",
        "--pids-limit",
        str(objective.pids_limit),
    ]
    run += [
        "--memory",
        str(parse_size(objective.memory)),
        "--shm-size",
        str(parse_size(objective.shm)),
        "--workdir",
        objective.mount_point,
    ]
    run += ["-v", f"{workspace}:{objective.mount_point}:ro"]
    run += [
        part
        for path in objective.output_dirs()
        for part in ("-v", f"{workspace / path}:{objective.mount_point}/{path}")
    ]
    run += [
        part
        for key, value in job.environment(objective, root, "by-hand").items()
        for part in ("--env", f"{key}={value}")
    ]
    return timed([*build, "."]) + timed([*run, objective.image])


def timed(command: list[str]) -> float:
    """Wall seconds of a command that succeeds."""
    began = time.monotonic()
    subprocess.run(
        command, check=True, cwd=PROJECT_ROOT, stdout=subprocess.DEVNULL, env={**os.environ, "DOCKER_BUILDKIT": "0"}
    )
    return time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main())
