"""Benchmark: real-time factor, time to the first audio and peak memory of speaking a long text on one thread.

    python -m tests.benchmarks.synthesis_speed [--voice VOICE] [--minutes 20] [--limit-mib 600]

Speaks a text of about that many minutes sentence by sentence in a child process and prints one JSON object. VOICE is a trained voice or a
folder of ONNX files; without it a voice of full size with random weights is made, which costs the same. Exits 1 above a limit.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORDS_PER_MINUTE = 165
MOST_REAL_TIME = 0.05
"""CPU seconds per second of speech."""
MOST_FIRST_AUDIO_S = 0.3
_TEXT = (
    "the river and a stone have nothing to say about winter but every lantern remembers which evening brought "
    "our quiet visitor from another country where people sing whenever bread is baked and children count seven bells"
)

_CHILD = """
import json, resource, sys, time
from pathlib import Path
started = time.monotonic()
from trainer.synthesis.command import load
voice = load(Path(sys.argv[1]), threads=1)
loaded = time.monotonic()
before = time.process_time()
seconds, sentences, first, checkpoints = 0.0, 0, None, []
with open(sys.argv[2], encoding="utf-8") as text:
    for part in voice.stream(text):
        if first is None:
            first = time.monotonic() - loaded, time.process_time() - before
        seconds += part.seconds
        sentences += 1
        if sentences % 100 == 0:
            checkpoints.append(round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))
wall, cpu = time.monotonic() - loaded, time.process_time() - before
print(json.dumps({
    "load_s": round(loaded - started, 2),
    "first_audio_s": round(first[0], 3),
    "first_audio_cpu_s": round(first[1], 3),
    "speech_minutes": round(seconds / 60, 2),
    "sentences": sentences,
    "real_time_factor_wall": round(wall / seconds, 4),
    "real_time_factor_cpu": round(cpu / seconds, 4),
    "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    "peak_mib_every_100_sentences": checkpoints,
}))
"""


def main() -> int:
    """Write a text, speak it in a child, report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--voice", type=Path, help="a trained voice or a folder of ONNX files")
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--limit-mib", type=float, default=600.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        text = Path(scratch) / "text.txt"
        write_long_text(text, words=round(options.minutes * WORDS_PER_MINUTE))
        result = measure(options.voice or random_voice(Path(scratch) / "voice.pt"), text)
    print(json.dumps(result, indent=2))
    kept = (
        result["peak_mib"] < options.limit_mib
        and result["real_time_factor_cpu"] < MOST_REAL_TIME
        and result["first_audio_s"] < MOST_FIRST_AUDIO_S
    )
    return 0 if kept else 1


def write_long_text(path: Path, *, words: int) -> None:
    """Paragraphs of five sentences of 6 to 24 words."""
    known = _TEXT.split(" ")
    written = sentence = 0
    with path.open("w", encoding="utf-8") as file:
        while written < words:
            length = 6 + sentence * 7 % 19
            chosen = [known[(written * 5 + place * (sentence % 11 + 1)) % len(known)] for place in range(length)]
            file.write(" ".join(chosen).capitalize() + (".\n\n" if sentence % 5 == 4 else ". "))
            written, sentence = written + length, sentence + 1


def random_voice(path: Path) -> Path:
    """A checkpoint of full size that has learnt nothing."""
    sys.path.insert(0, str(ROOT))
    from tests.trainer.synthesis import untrained_voice
    from trainer.models.acoustic import AcousticConfig
    from trainer.models.vocoder import VocoderConfig

    return untrained_voice.write(path, acoustic=AcousticConfig(), vocoder=VocoderConfig())


def measure(voice: Path, text: Path) -> dict[str, float | int]:
    """Speak `text` with `voice` in a child process of one thread."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(voice.absolute()), str(text)],
        check=True,
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    return json.loads(done.stdout)


if __name__ == "__main__":
    sys.exit(main())
