"""Benchmark: what the recognisers mishear and cost, on clean speech, in noise 10 dB below it, and over a telephone.

    python -m tests.benchmarks.recognisers [--texts DIR] [--clips N] [--people DIR] [--speakers N] [--weights NAME=DIR]

--texts has clips/ and metadata.csv: its word error rates are against what is written there. The clips of --people have no texts: what whisper
hears in them as they are, clean, is the reference, so its own clean row is 0 by definition, and the others say how far the words move.
CPU-seconds are those of one thread, the models loaded before.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import jiwer
import numpy as np
import soundfile
import soxr
from scipy.signal import butter, sosfiltfilt

from trainer.evaluation.normaliser import spoken_words
from trainer.files import markdown
from trainer.preparation import recognisers
from trainer.preparation.recognisers import Heard, Recogniser, RecogniserChoice

VOICES = Path(__file__).resolve().parents[3] / "shared" / "voices"
Sound = tuple[np.ndarray, int]
_TELEPHONE_HZ = 8_000
_BAND = butter(4, (300.0, 3_400.0), "bandpass", fs=_TELEPHONE_HZ, output="sos")
_NOISE_DB = 10.0


def noisy(wave: np.ndarray, rate: int) -> Sound:
    """With white noise 10 dB below its mean power."""
    power = float(np.square(wave).mean()) * 10.0 ** (-_NOISE_DB / 10.0)
    added = np.random.default_rng(len(wave)).normal(0.0, np.sqrt(power), len(wave))
    return (wave + added).astype(np.float32), rate


def telephone(wave: np.ndarray, rate: int) -> Sound:
    """At 8 kHz, 300 to 3400 Hz, in 8-bit mu-law."""
    narrow = sosfiltfilt(_BAND, soxr.resample(wave, rate, _TELEPHONE_HZ, quality="HQ"))
    pressed = np.sign(narrow) * np.log1p(255.0 * np.minimum(np.abs(narrow), 1.0)) / np.log(256.0)
    steps = np.round(pressed * 127.0) / 127.0
    return (np.sign(steps) * (256.0 ** np.abs(steps) - 1.0) / 255.0).astype(np.float32), _TELEPHONE_HZ


CONDITIONS: Mapping[str, Callable[[np.ndarray, int], Sound]] = {
    "clean": lambda wave, rate: (wave, rate),
    "noise 10 dB below": noisy,
    "telephone": telephone,
}


def heard(recogniser: Recogniser, sounds: Sequence[Sound]) -> tuple[list[Heard], float]:
    """What is heard in every sound, and the CPU-seconds for each second of it."""
    recogniser.hear(*sounds[0])
    started = time.process_time()
    found = [recogniser.hear(*sound) for sound in sounds]
    seconds = sum(len(wave) / rate for wave, rate in sounds)
    return found, (time.process_time() - started) / seconds


def error_rate(meant: Sequence[Sequence[str]], found: Sequence[Heard]) -> float:
    """Word errors for each word that was meant, all clips together."""
    return float(jiwer.wer([" ".join(words) for words in meant], [" ".join(one.spoken) for one in found]))


def table(
    sounds: Sequence[Sound], meant: Sequence[Sequence[str]], judged: Mapping[str, Recogniser]
) -> list[tuple[str, ...]]:
    """A row for each condition and recogniser."""
    lines = [("condition", "recogniser", "WER", "CPU-s a second", "clips with a doubt")]
    for condition, change in CONDITIONS.items():
        changed = [change(*sound) for sound in sounds]
        for name, recogniser in judged.items():
            found, cost = heard(recogniser, changed)
            doubts = sum(bool(one.doubts) for one in found)
            lines.append((condition, name, f"{error_rate(meant, found):.3f}", f"{cost:.3f}", str(doubts)))
            print(" | ".join(lines[-1]), flush=True)
    return lines


def _even(items: Sequence[Any], most: int) -> Sequence[Any]:
    """At most so many of the items, from the whole range."""
    return items[:: max(1, -(-len(items) // most))]


def _table(head: Sequence[str], *lines: Sequence[str]) -> str:
    return markdown.table(list(head), [list(line) for line in lines])


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=Path, default=VOICES / "lj")
    parser.add_argument("--people", type=Path, default=VOICES / "many")
    parser.add_argument("--clips", type=int, default=1000, help="of those with texts, evenly chosen; 0 for none")
    parser.add_argument("--speakers", type=int, default=32, help="of people, evenly chosen; 0 for none")
    parser.add_argument("--without-scoring", action="store_true", help="leave out pocketsphinx as it scores")
    parser.add_argument("--weights", action="append", default=[], metavar="NAME=DIR", help="other weights for whisper")
    asked = parser.parse_args()
    whisper = recognisers.transcribing(RecogniserChoice(name="whisper"))
    judged: dict[str, Recogniser] = {
        "pocketsphinx, as it transcribes": recognisers.transcribing(RecogniserChoice()),
        "pocketsphinx, as it scores": recognisers.scoring(RecogniserChoice()),
        "whisper base (the set)": whisper,
    }
    if asked.without_scoring:
        del judged["pocketsphinx, as it scores"]
    for named in asked.weights:
        name, _, folder = named.partition("=")
        judged[f"whisper {name}"] = recognisers.transcribing(RecogniserChoice(name="whisper", weights=folder))
    if asked.clips:
        said = _even(
            [line.split("|") for line in (asked.texts / "metadata.csv").read_text(encoding="utf-8").splitlines()],
            asked.clips,
        )
        sounds = [soundfile.read(asked.texts / "clips" / f"{row[0]}.flac", dtype="float32") for row in said]
        print(_table(*table(sounds, [spoken_words(row[1]) for row in said], judged)))
    if asked.speakers:
        chosen = _even(sorted(asked.people.glob("*.flac")), asked.speakers)
        sounds = [soundfile.read(path, dtype="float32") for path in chosen]
        print(_table(*table(sounds, [whisper.hear(*sound).spoken for sound in sounds], judged)))


if __name__ == "__main__":
    main()
