"""How fast a folder is hashed beside `sha256sum` on all cores, and how long a manifest of 10,000 clips takes.

    python -m tests.benchmarks.manifest_hashing [--rounds 5] [--threads N]

Both read the same files in turn, round by round, from a warm cache (one unmeasured round goes first). The rival is
`find -print0 | xargs -0 -P N -n K sha256sum`, with the K that serves it best; `openssl dgst` is shown beside it, because it may know instructions of
the processor that sha256sum does not. Ours is listing the folder and hashing it, in a process that has started; the manifest of the clips
(headers, texts, JSON, written) is the whole command. Exit status 1 where ours takes more than 1.15 times as long as sha256sum.
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
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from acceptance.manifests import hashing
from trainer.dataset import clip_listing as listing

PROJECT_ROOT = Path(__file__).parents[2]
ALLOWED = 1.15


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; 0 where ours keeps up."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=hashing.cores())
    parser.add_argument("--small", type=int, default=10_000, help="files of 100 kB")
    parser.add_argument("--large", type=int, default=8, help="files of --megabytes")
    parser.add_argument("--megabytes", type=int, default=128)
    parser.add_argument("--clips", type=int, default=10_000)
    options = parser.parse_args(arguments)
    worst = 0.0
    with tempfile.TemporaryDirectory(prefix="manifest-hashing-") as folder:
        for name, count, size in (
            ("small", options.small, 100_000),
            ("large", options.large, options.megabytes * 2**20),
        ):
            files = fill(Path(folder) / name, count, size)
            worst = max(worst, race(files, count, count * size, options))
            shutil.rmtree(files)
        clips = render_clips(Path(folder) / "clips", options.clips)
        create(clips)  # warms the cache
        seconds = [create(clips) for _ in range(options.rounds)]
        print(f"voice manifest create, {options.clips} clips: {spread(seconds)}")
    return int(worst > ALLOWED)


def race(files: Path, count: int, size: int, options: argparse.Namespace) -> float:
    """Print the medians of all contestants over one folder; returns our time as a multiple of sha256sum's."""
    contestants: dict[str, Callable[[], None]] = {"ours": lambda: ours(files, options.threads)}
    for each in sorted({1, 16, 64} if count <= 1000 else {64, 256, 1024}):
        contestants[f"sha256sum -n {each}"] = lambda each=each: piped(files, options.threads, each, "sha256sum")
    if shutil.which("openssl"):
        each = max(1, min(256, count // options.threads))
        contestants[f"openssl dgst -n {each}"] = lambda: piped(files, options.threads, each, "openssl dgst -sha256")
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(options.rounds + 1):
        for name, run in contestants.items():
            began = time.perf_counter()
            run()
            if number:
                seconds[name].append(time.perf_counter() - began)
    print(f"{count} files, {size / 1e6:.0f} MB, {options.threads} threads, {options.rounds} rounds")
    for name, values in seconds.items():
        print(f"  {name:<24} {spread(values)}  {size / 1e6 / statistics.median(values):8.0f} MB/s")
    best = min(statistics.median(values) for name, values in seconds.items() if name.startswith("sha256sum"))
    ratio = statistics.median(seconds["ours"]) / best
    print(f"  ours takes {ratio:.2f} times as long as the best sha256sum")
    return ratio


def ours(files: Path, threads: int) -> None:
    """List and hash; raises where a file could not be read."""
    found = listing.tree(files)
    contents = hashing.read_all(files, found.files, headers=False, threads=threads)
    if any(not isinstance(content, hashing.Content) for content in contents.values()):
        raise SystemExit("a file could not be hashed")


def piped(files: Path, threads: int, each: int, program: str) -> None:
    """The same by a shell."""
    subprocess.run(
        f"find {files} -type f -print0 | xargs -0 -P {threads} -n {each} {program}",
        shell=True,
        check=True,
        stdout=subprocess.DEVNULL,
    )


def create(clips: Path) -> float:
    """Wall seconds of the whole command."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "acceptance.cli", "manifest", "create", str(clips)]
    subprocess.run(command, check=True, cwd=PROJECT_ROOT, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def fill(folder: Path, count: int, size: int) -> Path:
    """Files of random bytes, named like clips."""
    folder.mkdir()
    for index in range(count):
        (folder / f"{index:05d}.wav").write_bytes(os.urandom(size))
    return folder


def render_clips(folder: Path, count: int) -> Path:
    """Clips of a twentieth of a second, each with its text."""
    folder.mkdir()
    noise = np.random.default_rng(0)
    for index in range(count):
        soundfile.write(folder / f"{index:05d}.flac", noise.integers(-3000, 3000, 800).astype(np.int16), 16_000)
        (folder / f"{index:05d}.txt").write_text(f"This is clip number {index}.\n", encoding="utf-8")
    return folder


def spread(seconds: list[float]) -> str:
    """Median, least and most."""
    return f"median {statistics.median(seconds):6.2f} s ({min(seconds):.2f}-{max(seconds):.2f})"


if __name__ == "__main__":
    sys.exit(main())
