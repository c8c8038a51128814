"""Benchmark: memory and speed of the preparation on a long synthetic recording.

    python -m tests.benchmarks.prepare_long [--hours 5] [--limit-mib 1000]

Writes a recording of that length (the demonstration's sentences, in another order, level and pace of pauses each time) as a stream into a
temporary directory, prepares it in a child process on one thread, and prints one JSON object. Exits 1 above the memory limit.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

ROOT = Path(__file__).resolve().parents[2]
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def main() -> int:
    """Render, prepare in a child, report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, default=5.0)
    parser.add_argument("--limit-mib", type=float, default=1000.0)
    parser.add_argument("--scratch", type=Path, help="where the temporary directory goes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.scratch) as scratch:
        audio = Path(scratch) / "long.flac"
        write_long_recording(audio, hours=options.hours)
        result = measure(audio, Path(scratch) / "out" / "voice_dataset_manifest.json")
    print(json.dumps(result, indent=2))
    return 0 if result["peak_mib"] < options.limit_mib else 1


def write_long_recording(path: Path, *, hours: float, seed: int = 1) -> None:
    """Write a mono FLAC of at least `hours`, holding no more than a minute of it at a time."""
    sys.path.insert(0, str(ROOT))
    from trainer.teachers.demo_sentences import SENTENCES
    from trainer.teachers.espeak import SpeechRequest, speak_all

    spoken = speak_all([SpeechRequest(text=sentence) for sentence in SENTENCES])
    rate = spoken[0][1]
    generator = np.random.default_rng(seed)
    written, wanted = 0, round(hours * 3600 * rate)
    with soundfile.SoundFile(path, "w", rate, 1, subtype="PCM_16", format="FLAC") as stream:
        while written < wanted:
            samples, _ = spoken[generator.integers(len(spoken))]
            level = 10.0 ** (generator.uniform(-12.0, -4.0) / 20.0)
            piece = np.concatenate([samples * level, np.zeros(round(generator.uniform(0.2, 1.2) * rate), np.float32)])
            stream.write(piece + 0.001 * generator.standard_normal(len(piece)))
            written += len(piece)


def measure(audio: Path, manifest: Path) -> dict[str, float | int]:
    """Prepare `audio` in a child process and read the child's own resource usage."""
    code = (
        "import sys; from pathlib import Path; from trainer.preparation.prepare import prepare\n"
        "prepare(Path(sys.argv[1]), Path(sys.argv[2]), workspace=Path(sys.argv[1]).parent)"
    )
    environment = {**os.environ, **dict.fromkeys(THREAD_VARIABLES, "1"), "PYTHONPATH": str(ROOT)}
    start = time.monotonic()
    subprocess.run([sys.executable, "-c", code, str(audio), str(manifest)], check=True, env=environment, cwd=ROOT)
    wall = time.monotonic() - start
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    document = json.loads(manifest.read_bytes())
    seconds, cpu = document["source"]["duration_s"], usage.ru_utime + usage.ru_stime
    return {
        "audio_hours": round(seconds / 3600, 3),
        "recording_mib": round(audio.stat().st_size / 2**20, 1),
        "peak_mib": round(usage.ru_maxrss / 1024, 1),
        "wall_s": round(wall, 1),
        "cpu_s": round(cpu, 1),
        "audio_seconds_per_wall_second": round(seconds / wall, 1),
        "audio_seconds_per_core_second": round(seconds / cpu, 1),
        "utterances": document["summary"]["counts"]["entries"],
        "dropped": document["summary"]["counts"]["dropped"],
    }


if __name__ == "__main__":
    sys.exit(main())
