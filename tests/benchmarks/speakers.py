"""Benchmark: how near a voice comes to speakers of whom there are some seconds, before and after its training.

    python -m tests.benchmarks.speakers RECORDING... [--minutes N] [--sentences N] [--encoder FILE] [--output DIR]

A recording becomes a manifest with the texts that whisper hears, the limits of the policy on its length switched off; what is longer, what is
learnt from or what is held out, is learnt from. The similarity (GE2E cosine) is of new sentences to the held-out speech; `real` is that of the
speech learnt from. `CAM++` is the similarity by another encoder (`second_encoder.py --onnx`), where one is given: the speaker input hears GE2E.
Whoever speaks below 155 Hz is counted as a man: the last lines compare the mean shares of `real` that a voice comes to.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from click.testing import CliRunner

from acceptance.cli.main import voice
from trainer.audio.features import SAMPLE_RATE
from trainer.dataset import loading, manifest
from trainer.dataset.loading import Utterance
from trainer.evaluation import encoder_file, realism, voices
from trainer.files import markdown
from trainer.models.speaker_encoder import SpeakerEncoder
from trainer.synthesis.sentences import SENTENCES
from trainer.training import control_voice

HIGHEST_MAN_HZ = 155.0
LEAST_SHARE = 0.9
"""Of the women's mean share that every man's has to reach."""
_LIMITS = (
    "audio.min_usable_s=5",
    "audio.min_transcribed_s=5",
    "transcripts.min_transcript_confidence=0",
    "learning.min_heldout_utterances=1",
    "learning.min_heldout_s=1",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One speaker; similarities to the held-out speech."""

    name: str
    hz: float
    learnt_s: float
    real: float
    before: float
    after: float
    second: float
    """NaN without another encoder."""
    overall: float
    p808: float
    cpu_s: float

    @property
    def share(self) -> float:
        """Of what real speech of the same person comes to."""
        return self.after / self.real


def run(*arguments: str | Path) -> None:
    """A command of the program; ends this one with its words where it fails."""
    result = CliRunner().invoke(voice, [str(one) for one in arguments])
    if result.exit_code:
        sys.exit(f"voice {' '.join(map(str, arguments))}\n{result.output}")


def prepared(recording: Path, folder: Path) -> Path:
    """A manifest whose longer side is learnt from."""
    limits = [word for limit in _LIMITS for word in ("--threshold", limit)]
    run("prepare", recording, "--output", folder, "--recogniser", "whisper", *limits)
    path = folder / "voice_dataset_manifest.json"
    found = manifest.load(path)
    train, held_out = (sum(one.duration_s for one in found.split(side)) for side in (manifest.TRAIN, manifest.HELD_OUT))
    if held_out > train:
        other = {manifest.TRAIN: manifest.HELD_OUT, manifest.HELD_OUT: manifest.TRAIN}
        found = replace(found, entries=tuple(replace(one, split=other[one.split]) for one in found.entries))
        path.write_bytes(manifest.dumps(found))
    return path


def measured(recording: Path, folder: Path, *, sentences: Sequence[str], other: Path | None) -> Row:
    """Prepare, train, speak and judge."""
    path = prepared(recording, folder)
    document = manifest.load(path)
    learnt, held_out = (loading.load(path.parent, document.split(side)) for side in (manifest.TRAIN, manifest.HELD_OUT))
    started = time.process_time()
    run("train", path, "--checkpoint", folder / "voice.pt", "--threads", "1")
    cpu_s = time.process_time() - started
    encoder = SpeakerEncoder()
    ours = _unit([encoder.embed(one.wave.numpy()) for one in held_out])
    adapted = voices.from_checkpoint(folder / "voice.pt")
    before, after = (
        [voices.spoken(each, text) for text in sentences] for each in (voices.before_adaptation(adapted), adapted)
    )
    real = _near(ours, [encoder.embed(one.wave.numpy()) for one in learnt])
    near = [_near(ours, [encoder.embed(*one) for one in waves]) for waves in (before, after)]
    opinions = [realism.opinion(*one) for one in after]
    return Row(
        name=recording.stem,
        hz=control_voice.median_f0_hz(learnt) or 0.0,
        learnt_s=sum(one.duration_s for one in document.split(manifest.TRAIN)),
        real=real,
        before=near[0],
        after=near[1],
        second=_second(other, held_out, after) if other else math.nan,
        overall=float(np.mean([one.overall for one in opinions])),
        p808=float(np.mean([one.p808 for one in opinions])),
        cpu_s=cpu_s,
    )


def _second(path: Path, held_out: Sequence[Utterance], spoken: Sequence[tuple[np.ndarray, int]]) -> float:
    encoder = encoder_file.load(path)
    real = _unit([encoder.embed(one.wave.numpy(), SAMPLE_RATE) for one in held_out])
    return _near(real, [encoder.embed(*one) for one in spoken])


def _unit(vectors: Sequence[np.ndarray]) -> np.ndarray:
    stacked = np.stack(vectors)
    return stacked / np.linalg.norm(stacked, axis=1, keepdims=True)


def _near(ours: np.ndarray, theirs: Sequence[np.ndarray]) -> float:
    """Mean cosine of every pair."""
    return float((ours @ _unit(theirs).T).mean())


def balance(rows: Sequence[Row]) -> str:
    """How the men's shares lie to the women's mean; raises SystemExit(1) where one is below LEAST_SHARE of it."""
    men, women = ([row for row in rows if (row.hz < HIGHEST_MAN_HZ) is low] for low in (True, False))
    if not men or not women:
        return "men and women were not compared: give recordings of both"
    wanted = LEAST_SHARE * float(np.mean([row.share for row in women]))
    low = [f"{row.name} {row.share:.2f}" for row in men if row.share < wanted]
    if low:
        sys.exit(f"below {wanted:.2f}, {LEAST_SHARE:g} of the women's mean share: {', '.join(low)}")
    return f"every man's share is at least {LEAST_SHARE:g} of the women's mean ({wanted:.2f})"


def main() -> None:
    """Print the table; ends with 1 where a man comes less near than the women."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recordings", type=Path, nargs="*")
    parser.add_argument("--minutes", default="1")
    parser.add_argument("--sentences", type=int, default=12)
    parser.add_argument("--encoder", type=Path)
    parser.add_argument("--output", type=Path)
    given = parser.parse_args()
    if not given.recordings:
        print("no recordings were given: nothing is measured")
        return
    os.environ |= {"VOICE_BACKBONE_NAME": "natural", "VOICE_NATURAL_MINUTES": given.minutes}
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.output or Path(scratch)
        rows = []
        for recording in given.recordings:
            rows.append(
                measured(
                    recording, folder / recording.stem, sentences=SENTENCES[: given.sentences], other=given.encoder
                )
            )
            print(f"{recording.name}: {rows[-1].before:.3f} -> {rows[-1].after:.3f}", file=sys.stderr, flush=True)
    heading = ("speaker", "F0 Hz", "learnt s", "real", "before", "after", "share", "CAM++", "OVRL", "P808", "CPU-s")
    cells = [
        [row.name, f"{row.hz:.0f}", f"{row.learnt_s:.1f}", *(f"{one:.3f}" for one in (row.real, row.before, row.after)),
         f"{row.share:.2f}", "-" if math.isnan(row.second) else f"{row.second:.3f}", f"{row.overall:.2f}", f"{row.p808:.2f}", f"{row.cpu_s:.0f}"]
        for row in rows
    ]  # fmt: skip
    print(markdown.table(heading, cells))
    print(balance(rows))


if __name__ == "__main__":
    main()
