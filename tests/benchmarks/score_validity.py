"""Do the scores of `voice evaluate` measure what they say? On human speech, damaged speech and wrong transcripts.

    python -m tests.benchmarks.score_validity VOICES --output artifacts/score_validity

Speakers: two halves of each recording against every half of every other speaker. Damage: clips as they are, overdriven, in noise and through
a telephone's band, each measure paired by clip. Words: the transcripts, and the same transcripts one clip further.
Writes validity.md and validity.png.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import butter, sosfilt
from scipy.stats import rankdata

from acceptance.cli import progress
from trainer.evaluation import intelligibility
from trainer.evaluation.faults import SignalLimits
from trainer.evaluation.judging import Judged, Task, judge
from trainer.evaluation.prompts import Item, with_texts
from trainer.files import output_file
from trainer.files.markdown import table
from trainer.preparation import parallel

LONG_HALF_S = 4.0
OVERDRIVEN_SHARE = 0.05
NOISE_DB = 5.0
BAND_HZ = (300.0, 3_000.0)
REAL = "as it is"
DAMAGES = ("overdriven", f"noise at {NOISE_DB:g} dB", "300 Hz to 3 kHz")
MEASURES = ("similarity", "overall", "speech", "background", "p808", "wer")
HIGHER_IS_BETTER = {name: name != "wer" for name in MEASURES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Cosines of speaker vectors: (n,) of one speaker's halves, (m,) of two speakers', with the names of the latter."""

    same: np.ndarray
    different: np.ndarray
    same_names: Sequence[str]
    different_names: Sequence[tuple[str, str]]

    @property
    def auc(self) -> float:
        """Area under the ROC curve: how often a pair of one speaker scores above a pair of two; ties count half."""
        ranks = rankdata(np.concatenate([self.same, self.different]))[: len(self.same)]
        return float((ranks.sum() - len(ranks) * (len(ranks) + 1) / 2.0) / (len(ranks) * len(self.different)))

    @property
    def equal_error_rate(self) -> float:
        """Where as many pairs of one speaker lie below a threshold as pairs of two lie above it."""
        thresholds = np.unique(np.concatenate([self.same, self.different]))
        missed = np.searchsorted(np.sort(self.same), thresholds) / len(self.same)
        accepted = 1.0 - np.searchsorted(np.sort(self.different), thresholds) / len(self.different)
        best = int(np.argmin(np.abs(missed - accepted)))
        return float((missed[best] + accepted[best]) / 2.0)


def halves(files: Sequence[Path], folder: Path) -> list[Path]:
    """Both halves of each file, written as `<speaker>_<1|2>.flac`."""
    written = []
    for path in files:
        wave, rate = soundfile.read(path, dtype="float32")
        for number, half in enumerate(np.array_split(wave, 2), start=1):
            written.append(folder / f"{path.stem}_{number}.flac")
            soundfile.write(written[-1], half, rate)
    return written


def pairs(vectors: Mapping[str, np.ndarray]) -> Pairs:
    """All pairs of `<speaker>_<1|2>`."""
    names = sorted(vectors)
    stacked = np.stack([vectors[name] for name in names]).astype(np.float64)
    cosines = stacked @ stacked.T
    same, different = [], []
    for first in range(len(names)):
        for second in range(first + 1, len(names)):
            speakers = names[first].rpartition("_")[0], names[second].rpartition("_")[0]
            (same if speakers[0] == speakers[1] else different).append((float(cosines[first, second]), speakers))
    return Pairs(
        same=np.array([value for value, _ in same]),
        different=np.array([value for value, _ in different]),
        same_names=[names[0] for _, names in same],
        different_names=[names for _, names in different],
    )


def damaged(wave: np.ndarray, rate: int, how: str, rng: np.random.Generator) -> np.ndarray:
    """(n,) -> (n,) float32: overdriven so that the loudest 5 % of samples are cut off, in white noise, or without lows and highs."""
    if how == DAMAGES[0]:
        return np.clip(wave / np.quantile(np.abs(wave), 1.0 - OVERDRIVEN_SHARE), -1.0, 1.0).astype(np.float32)
    if how == DAMAGES[1]:
        level = np.sqrt(np.square(wave, dtype=np.float64).mean() / 10.0 ** (NOISE_DB / 10.0))
        return np.clip(wave + level * rng.standard_normal(len(wave)), -1.0, 1.0).astype(np.float32)
    if how == DAMAGES[2]:
        return np.clip(sosfilt(butter(8, BAND_HZ, "bandpass", fs=rate, output="sos"), wave), -1.0, 1.0).astype(
            np.float32
        )
    return wave


def conditions(items: Sequence[Item], folder: Path) -> dict[str, list[Item]]:
    """Each clip in each condition, written below `folder`."""
    rng = np.random.default_rng(5)
    found: dict[str, list[Item]] = {}
    for number, how in enumerate((REAL, *DAMAGES)):
        place = folder / str(number)
        place.mkdir()
        found[how] = []
        for item in items:
            wave, rate = soundfile.read(item.path, dtype="float32")
            path = place / f"{item.id}.flac"
            soundfile.write(path, damaged(wave, rate, how, rng), rate)
            found[how].append(Item(id=item.id, path=path, prompt=item.prompt))
    return found


def marks(one: Judged, references: np.ndarray) -> dict[str, float]:
    """Every measure of one clip against (n, d) vectors of the same speaker."""
    found = {name: getattr(one.opinion, name) for name in ("overall", "speech", "background", "p808")}
    found["similarity"] = float((references @ one.vector).mean())
    if one.item.prompt:
        found["wer"] = error_rate(one.item.prompt, one.heard)
    return found


def error_rate(text: str, heard: Sequence[str]) -> float:
    """Word error rate of one clip."""
    meant = intelligibility.spoken_words(text)
    return intelligibility.word_edits(meant, heard) / len(meant)


def damage_table(scores: Mapping[str, Sequence[Mapping[str, float]]], faults: Mapping[str, Mapping[str, int]]) -> str:
    """Means in every condition; behind a damaged one, in how many clips the real one scores better."""
    names = [name for name in MEASURES if name in scores[REAL][0]]
    cells = [["condition", *names, "faults of the signal (clips)"]]
    for how, found in scores.items():
        line = [how]
        for name in names:
            values, real = (np.array([one[name] for one in which]) for which in (found, scores[REAL]))
            better = int(((real > values) if HIGHER_IS_BETTER[name] else (real < values)).sum())
            line.append(f"{values.mean():.3f}" + ("" if how == REAL else f" ({better}/{len(values)})"))
        cells.append([*line, ", ".join(f"{fault} {count}" for fault, count in faults[how].items()) or "-"])
    return table(cells[0], cells[1:]) + "\n"


def main() -> int:
    """Measure, print the tables, write them and the plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "voices", type=Path, help="folder with many/*.flac (one speaker a file) and lj/ (clips, metadata.csv)"
    )
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--speakers", type=int, default=None, help="only so many")
    parser.add_argument("--damaged", type=int, default=40, help="so many other speakers are damaged too")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        text = "\n".join([*_speakers(options, Path(scratch)), *_damage(options, Path(scratch)), *_words(options)])
    print(text, end="")
    (options.output / "validity.md").write_text(text, encoding="utf-8")
    return 0


def _judged(items: Sequence[Item], options: argparse.Namespace, what: str, *, only_voice: bool = False) -> list[Judged]:
    tasks = [Task(item=item, limits=SignalLimits(), encoder=None, only_voice=only_voice) for item in items]
    with progress.shown(what) as on_total:
        return parallel.each(judge, tasks, processes=options.processes, on_progress=on_total(len(tasks)))


def _speakers(options: argparse.Namespace, scratch: Path) -> list[str]:
    files = sorted((options.voices / "many").glob("*.flac"))[: options.speakers]
    folder = scratch / "halves"
    folder.mkdir()
    many = halves(files, folder)
    reader = sorted((options.voices / "lj" / "clips").glob("*.flac"))
    everything = [Item(id=path.stem, path=path) for path in [*many, *reader]]
    vectors = {one.item.id: one.vector for one in _judged(everything, options, "speakers", only_voice=True)}
    found = pairs({path.stem: vectors[path.stem] for path in many})
    long = pairs({path.stem: vectors[path.stem] for path in many if soundfile.info(path).duration >= LONG_HALF_S})
    lines = [
        f"Speakers: {len(files)}, two halves each; {len(found.same)} pairs of one speaker, {len(found.different)} of two.",
        "",
    ]
    rows = [
        ["pairs", "lowest", "5 %", "mean", "95 %", "highest"],
        _quantiles("one speaker", found.same),
        _quantiles("two speakers", found.different),
    ]
    rows += [
        _quantiles(f"one speaker, halves of {LONG_HALF_S:g} s and more", long.same),
        _quantiles("two such speakers", long.different),
    ]
    one_reader = np.stack([vectors[path.stem] for path in reader]).astype(np.float64)
    others = np.stack([vectors[path.stem] for path in many]).astype(np.float64)
    inside, outside = (one_reader @ one_reader.T)[np.triu_indices(len(reader), 1)], (one_reader @ others.T).ravel()
    rows += [_quantiles("LJ reader, clip and clip", inside), _quantiles("LJ reader and another speaker", outside)]
    of_reader = Pairs(same=inside, different=outside, same_names=(), different_names=())
    above = int((found.different > found.same.min()).sum())
    worst = sorted(zip(found.different, found.different_names, strict=True), reverse=True)[:5]
    least = sorted(zip(found.same, found.same_names, strict=True))[:5]
    _plot(options.output / "validity.png", found, of_reader)
    return [
        *lines,
        table(rows[0], rows[1:]) + "\n",
        f"ROC AUC {found.auc:.5f}, equal error rate {found.equal_error_rate:.2%}; the LJ reader against all: {of_reader.auc:.5f}.",
        f"Halves of {LONG_HALF_S:g} s and more ({len(long.same)} speakers): {long.auc:.6f}, equal error rate {long.equal_error_rate:.3%}.",
        f"{above} pairs of two speakers ({above / len(found.different):.3%}) lie above the lowest pair of one speaker.",
        "Nearest speakers: " + ", ".join(f"{a} and {b} {value:.3f}" for value, (a, b) in worst) + ".",
        "Least like themselves: " + ", ".join(f"{name} {value:.3f}" for value, name in least) + ".",
        "",
    ]


def _damage(options: argparse.Namespace, scratch: Path) -> list[str]:
    lj = with_texts(options.voices / "lj", None, None)
    speakers = sorted((options.voices / "many").glob("*.flac"))
    picked = [speakers[number * len(speakers) // options.damaged] for number in range(options.damaged)]
    (scratch / "first").mkdir()
    parts = halves(picked, scratch / "first")
    sets = {
        "LJ reader, every second clip, against the others": (lj[::2], {item.id: lj[1::2] for item in lj[::2]}),
        f"{len(picked)} other speakers, a second half against its first": (
            [Item(id=path.stem, path=path) for path in parts[1::2]],
            {
                second.stem: [Item(id=first.stem, path=first)]
                for first, second in zip(parts[::2], parts[1::2], strict=True)
            },
        ),
    }
    lines = []
    for number, (title, (items, references)) in enumerate(sets.items()):
        folder = scratch / f"damage{number}"
        folder.mkdir()
        compared = {item.id: item for group in references.values() for item in group}
        vectors = {
            one.item.id: one.vector for one in _judged(list(compared.values()), options, "reference", only_voice=True)
        }
        scores, faults = {}, {}
        for how, mine in conditions(items, folder).items():
            found = _judged(mine, options, how)
            scores[how] = [
                marks(one, np.stack([vectors[item.id] for item in references[one.item.id]])) for one in found
            ]
            named = [fault for one in found for fault in one.faults]
            faults[how] = {name: named.count(name) for name in dict.fromkeys(named)}
        lines += [f"{title}; in brackets: clips where the real one scores better.", "", damage_table(scores, faults)]
    return lines


def _words(options: argparse.Namespace) -> list[str]:
    items = with_texts(options.voices / "lj", None, None)
    heard = [one.heard for one in _judged(items, options, "words")]
    cells = [["transcripts of the LJ reader", "mean WER of a clip", "lowest", "highest"]]
    for name, shift in (("as they are", 0), ("one clip further", 1)):
        rates = [error_rate(items[(index + shift) % len(items)].prompt, words) for index, words in enumerate(heard)]
        cells.append([name, f"{np.mean(rates):.3f}", f"{min(rates):.3f}", f"{max(rates):.3f}"])
    return [table(cells[0], cells[1:]) + "\n"]


def _quantiles(name: str, values: np.ndarray) -> list[str]:
    low, high = np.quantile(values, [0.05, 0.95])
    return [name, *(f"{value:.3f}" for value in (values.min(), low, values.mean(), high, values.max()))]


def _plot(path: Path, found: Pairs, reader: Pairs) -> None:
    from matplotlib.figure import Figure

    groups = {
        "two halves of a recording": {"one speaker": found.same, "two speakers": found.different},
        "the LJ reader": {"clip and clip": reader.same, "clip and another speaker": reader.different},
    }
    figure = Figure(figsize=(10.0, 1.0 + 2.5 * len(groups)), layout="constrained")
    axes = figure.subplots(len(groups), sharex=True, squeeze=False)[:, 0]
    for (title, values), one in zip(groups.items(), axes, strict=True):
        for name, cosines in values.items():
            one.hist(
                cosines, bins=80, range=(0.0, 1.0), density=True, alpha=0.6, label=f"{name} ({len(cosines)} pairs)"
            )
        one.set_title(title, fontsize="medium")
        one.set_ylabel("density")
        one.legend()
    axes[-1].set_xlabel("cosine of GE2E speaker vectors")
    figure.savefig(path, metadata=output_file.PICTURE)


if __name__ == "__main__":
    sys.exit(main())
