"""Benchmark: how often the right channels are taken, over kinds of a second channel, and how clear each decision is.

    python -m tests.benchmarks.channel_choice [CLIP...]

Each clip (default: the demonstration's sentences, one clip each) is paired with each kind, in both orders. Prints one row a kind: how many
choices are right, the share of the band that the mean of both would cancel, and the spread of the second channel. Exits 1 where one is wrong.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr

from tests.trainer.audio.test_channels import ORDINARY, OTHERS, RATE, delayed, noise, room
from trainer.audio.channels import ChannelMeter, spread_db
from trainer.preparation.prepare_settings import PrepareSettings
from trainer.teachers import demo_recording

Pair = Callable[[np.ndarray], tuple[np.ndarray, ...]]
SETTINGS = PrepareSettings()


def kinds() -> Iterator[tuple[str, bool, Pair]]:
    """Name, whether both channels are to be averaged, and the two channels made from speech."""
    yield from ((name, True, make) for name, make in ORDINARY.items() if name != "four alike")
    yield from ((name, False, lambda x, make=make: (x, make(x))) for name, make in OTHERS.items())
    for gain in (1.0, 0.9, 0.7, 0.5):
        yield f"opposite phase {gain}", False, lambda x, gain=gain: (x, -gain * x)
    for ms in (0.1, 0.2, 0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0):
        yield f"{ms} ms apart", False, lambda x, ms=ms: (x, 0.9 * delayed(x, ms))
    for ms in (0.2, 0.5, 2.0):
        yield f"{ms} ms apart, opposite", False, lambda x, ms=ms: (x, -0.9 * delayed(x, ms))
        yield f"{ms} ms apart in a room", False, lambda x, ms=ms: (room(x, 0.5, 1), 0.8 * delayed(room(x, 0.5, 2), ms))
        yield (
            f"{ms} ms apart in noise",
            False,
            lambda x, ms=ms: (x + noise(x, -50.0, 1), 0.8 * delayed(x, ms) + noise(x, -50.0, 2)),
        )


def main() -> int:
    """Judge every kind over every clip."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", nargs="*", type=Path, metavar="CLIP")
    clips = [_mono(path) for path in parser.parse_args().clips] or _rendered()
    table, wrong = [("kind", "right", "cancelled", "spread dB")], 0
    for name, both, make in kinds():
        right, cancelled, spreads = 0, [], []
        for clip in clips:
            pair = make(clip)
            for first in (0, 1):
                meter = ChannelMeter(2, RATE)
                meter.add(np.stack([pair[first], pair[1 - first]], axis=1).astype(np.float32))
                taken = meter.choice(SETTINGS).taken
                steady = name in OTHERS
                right += taken == ((0, 1) if both else (first,)) or (not both and not steady and len(taken) == 1)
                cancelled.append(meter.cancelled([0, 1]))
                spreads.append(spread_db(meter.levels[:, 1 - first]))
        count = 2 * len(clips)
        wrong += count - right
        table.append(
            (
                name,
                f"{right}/{count}",
                f"{min(cancelled):.3f}-{max(cancelled):.3f}",
                f"{min(spreads):.0f}-{max(spreads):.0f}",
            )
        )
    for row in table:
        print(f"{row[0]:34} {row[1]:>9} {row[2]:>13} {row[3]:>10}")
    return 1 if wrong else 0


def _mono(path: Path) -> np.ndarray:
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return soxr.resample(samples.mean(axis=1), rate, RATE, quality="HQ")


def _rendered() -> list[np.ndarray]:
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "speech.flac"
        demo_recording.render(path, path.with_suffix(".txt"), sentences=demo_recording.SENTENCES[:10])
        speech = _mono(path)
    return [speech[start : start + 5 * RATE] for start in range(0, len(speech) - 5 * RATE, 5 * RATE)]


if __name__ == "__main__":
    sys.exit(main())
