"""Benchmark: which kinds are found in clean speech (false alarms), and in what was made of it.

    python -m tests.benchmarks.recording_kinds CLIPS... [--every N]

CLIPS are folders of clips of people; without one, the demonstration's sentences are taken. Every clip is measured as it is, in parts of four
seconds, and every Nth (default: 5) as each kind that is made of it. Prints one row each: how many are of each kind, the range of the measures.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr

from tests.trainer.audio.test_channels import noise, room
from tests.trainer.preparation.made_kinds import RATE, childlike, over, over_music, telephone, whispered
from trainer.preparation.prepare_settings import PrepareSettings
from trainer.preparation.recording_kinds import KINDS, Acoustics, measure
from trainer.teachers import demo_recording

SETTINGS = PrepareSettings()
MADE = {
    "telephone": telephone,
    "telephone, noise": lambda x: over(narrow := telephone(x), noise(narrow, 0.0), 35.0),
    "whisper": whispered,
    "music -10 dB": over_music,
    "music -20 dB": lambda x: over_music(x, below_db=20.0),
    "child, 310 Hz": childlike,
    "twice as fast": lambda x: soxr.resample(x, 2, 1),
    "noise -12 dB": lambda x: over(x, noise(x, 0.0), 12.0),
    "room": lambda x: room(x, 0.5, 1),
}
MEASURES = ("bandwidth_hz", "voiced", "tonal", "f0_hz")


def clips(folders: list[Path]) -> Iterator[np.ndarray]:
    """Mono at RATE; rendered ones without a folder."""
    if not folders:
        yield from (demo_recording.perform((each,))[0] for each in demo_recording.SENTENCES)
    for path in sorted(path for folder in folders for path in folder.glob("*.flac")):
        samples, rate = soundfile.read(path, dtype="float32")
        yield soxr.resample(samples, rate, RATE)


def row(name: str, sounds: list[Acoustics]) -> str:
    """How many of the sounds are of each kind, and lowest, median and highest of each measure."""
    counts = [sum(kind.found(one, SETTINGS) for one in sounds) for kind in KINDS]
    ranges = [np.percentile([getattr(one, what) for one in sounds], (0, 50, 100)) for what in MEASURES]
    shown = "".join(
        f"{'/'.join(f'{value:.0f}' if value >= 10 else f'{value:.2f}' for value in each):>20}" for each in ranges
    )
    return f"{name:18}{len(sounds):5}{''.join(f'{count:5}' for count in counts)}{shown}"


def main() -> None:
    """Measure all and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path, metavar="CLIPS")
    parser.add_argument("--every", type=int, default=5)
    asked = parser.parse_args()
    heard = list(clips(asked.folders))
    started = time.process_time()
    print(f"{'':18}{'all':>5} band whis musi high{''.join(f'{what:>20}' for what in MEASURES)}")
    print(row("as they are", [measure(clip) for clip in heard]))
    seconds = sum(len(clip) for clip in heard) / RATE
    print(f"{1000 * (time.process_time() - started) / seconds:.1f} ms of CPU for a second of {seconds:.0f}")
    step = 4 * RATE
    print(
        row(
            "parts of 4 s", [measure(clip[at : at + step]) for clip in heard for at in range(0, len(clip) - step, step)]
        )
    )
    for name, make in MADE.items():
        print(row(name, [measure(make(clip[: 8 * RATE]).astype(np.float32)) for clip in heard[:: asked.every]]))


if __name__ == "__main__":
    main()
