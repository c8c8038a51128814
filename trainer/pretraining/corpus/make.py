"""The base model's corpus: synthetic speech of many pseudo speakers, and human speech where it is at hand.

Three parts, each with shards of its own numbers: what flite times itself (0000), synthetic speech through the aligner (1000), human
speech (2000). Every shard depends on the seed and its number only: a stopped run goes on where it was, and processes do not matter.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trainer.audio import features
from trainer.errors import RuntimeSetupError
from trainer.files import plain_file, strict_json
from trainer.files.atomic_file import remove_leftovers, write_atomically
from trainer.models.aligner import load_aligner, save_aligner
from trainer.preparation import parallel
from trainer.preparation.transcription.recognise import recognise
from trainer.pretraining.corpus import aligned, people, render, shards
from trainer.pretraining.corpus.learn_aligner import learn
from trainer.pretraining.corpus.speakers import FLITE, Speaker, speakers, timed
from trainer.pretraining.corpus.texts import sentences
from trainer.teachers import flite
from trainer.voice.shipped_files import ALIGNER

TIMED, ALIGNED, PEOPLE = 0, 1000, 2000
"""Number of each part's first shard."""
ALIGNER_SHARDS = 5
"""As many shards of flite's times teach the aligner; more changed nothing."""
_HELD_OUT_STREAM = 999_983  # the held-out sentences come from a stream of their own
_CLIPS_PER_SHARD = 80
_LICENCES = {
    "text": "drawn from pocketsphinx's English trigram model and the CMU Pronouncing Dictionary (BSD-like)",
    "flite": "voices cmu_us_slt, cmu_us_rms, cmu_us_kal of flite: free, Carnegie Mellon University, BSD-like",
    "espeak": "spoken by espeak-ng (GPL-3.0 program; its sound is free of it)",
    "human": "CC BY 4.0, LibriSpeech train-clean-100 (Panayotov et al. 2015)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusSettings:
    """What the corpus is made of; the same settings give the same bytes."""

    hours: float = 5.0
    seed: int = 0
    aligned_share: float = 0.14
    wave_share: float = 0.3
    utterances_per_shard: int = 160
    held_out_utterances: int = 96


Progress = Callable[[str, float], None]
"""Receives the name of each finished shard and the hours of speech so far."""


def make(
    output: Path,
    settings: CorpusSettings,
    *,
    human: Path | None = None,
    processes: int = 1,
    on_progress: Progress | None = None,
) -> None:
    """Make the whole corpus in `output`, or what is missing of it; `human` is a folder of one clip per person.

    The human clips are recognised, once: `output`/transcripts.json remembers what was heard. The aligner is learnt on the way, from flite's
    times and the human clips, and left as `output`/aligner.pt.
    Raises RuntimeSetupError(missing_program | missing_module | settings_invalid), TrainingError(disk_full | output_not_writable).
    """
    output.mkdir(parents=True, exist_ok=True)
    remove_leftovers(output / "*")
    make_timed(output, settings, processes=processes, on_progress=on_progress)
    transcripts = _recognised(human, output / "transcripts.json", processes) if human else {}
    if not (output / ALIGNER).exists():
        clips = [people.read(each, transcripts.get(each.stem, "")) for each in clip_files(human)] if human else []
        save_aligner(output / ALIGNER, learn(shards.training(output)[:ALIGNER_SHARDS], clips))
    make_aligned(output, settings, processes=processes, on_progress=on_progress)
    if human is not None:
        make_people(output, human, transcripts)
    write_summary(output, settings)


def _recognised(folder: Path, memory: Path, processes: int) -> dict[str, str]:
    """What is said in the clips of a folder, by file stem."""
    if memory.exists():
        return json.loads(memory.read_text("utf-8"))
    paths = clip_files(folder)
    heard = recognise([people.read_wave(path) for path in paths], processes=processes)
    transcripts = {path.stem: one.text for path, one in zip(paths, heard, strict=True)}
    write_atomically(memory, strict_json.readable(transcripts, indent=1, ascii_only=True))
    return transcripts


def make_timed(
    output: Path, settings: CorpusSettings, *, processes: int = 1, on_progress: Progress | None = None
) -> None:
    """Speech whose times flite tells, without aligner, until its share of the hours is there; raises RuntimeSetupError(missing_program)."""
    if not flite.available():
        raise RuntimeSetupError("flite is not installed; install it: apt-get install flite", cause="missing_program")
    wanted_s = 3600.0 * settings.hours * (1.0 - settings.aligned_share)
    _fill(output, settings, TIMED, wanted_s, _timed_shard, processes, on_progress)


def make_aligned(
    output: Path, settings: CorpusSettings, *, processes: int = 1, on_progress: Progress | None = None
) -> None:
    """Synthetic speech that needs the corpus's aligner; raises RuntimeSetupError as `load_aligner` and `espeak.speak_all`."""
    wanted_s = 3600.0 * settings.hours * settings.aligned_share
    _fill(output, settings, ALIGNED, wanted_s, _aligned_shard, processes, on_progress)


def make_people(output: Path, folder: Path, transcripts: Mapping[str, str]) -> None:
    """Human speech: every file of `folder` with what was heard in it, by file stem; every twentieth person is held out."""
    aligner = load_aligner(output / ALIGNER)
    paths = clip_files(folder)
    held_out = [path for index, path in enumerate(paths) if index % 20 == 10]
    trained = [path for index, path in enumerate(paths) if index % 20 != 10]
    parts = [trained[start : start + _CLIPS_PER_SHARD] for start in range(0, len(trained), _CLIPS_PER_SHARD)]
    groups = [(-1 - PEOPLE, held_out), *enumerate(parts, start=PEOPLE)]
    for number, group in groups:
        if shard_path(output, number).exists():
            continue
        made: list[dict[str, Any]] = []
        for path in group:
            made.extend(people.entries(people.read(path, transcripts.get(path.stem, "")), aligner))
        shards.write(shard_path(output, number), made)


def clip_files(folder: Path) -> list[Path]:
    """Audio files of a folder by name."""
    return sorted(path for path in folder.iterdir() if path.suffix in (".flac", ".wav"))


def _fill(
    output: Path,
    settings: CorpusSettings,
    part: int,
    wanted_s: float,
    job: Callable[[tuple[Path, CorpusSettings, int]], float],
    processes: int,
    on_progress: Progress | None,
) -> None:
    """Write the part's shards in order of their numbers until they hold `wanted_s` seconds."""
    report = on_progress or (lambda name, hours: None)
    done_s = 0.0
    numbers = iter([-1 - part, *range(part, part + 1000)])
    with parallel.pool(processes, nice=5) as executor:
        running = [
            (number, executor.submit(job, (output, settings, number)))
            for number in itertools.islice(numbers, processes)
        ]
        while running:
            number, result = running.pop(0)
            seconds = result.result()
            if number >= 0:
                done_s += seconds
            report(shard_path(output, number).name, done_s / 3600.0)
            if done_s < wanted_s:
                following = next(numbers)
                running.append((following, executor.submit(job, (output, settings, following))))


def shard_path(output: Path, number: int) -> Path:
    """File of a shard; number -1 - part is the part's held-out shard."""
    return output / (f"shard_{number:04d}.pt" if number >= 0 else f"heldout_{-1 - number:04d}.pt")


def _timed_shard(task: tuple[Path, CorpusSettings, int]) -> float:
    return _written(*task, _timed_utterances)


def _aligned_shard(task: tuple[Path, CorpusSettings, int]) -> float:
    return _written(*task, _aligned_utterances)


def _written(
    output: Path,
    settings: CorpusSettings,
    number: int,
    utterances: Callable[[Path, CorpusSettings, int], list[dict[str, Any]]],
) -> float:
    """Write one shard unless it is there; returns its seconds of speech."""
    path = shard_path(output, number)
    if not path.exists():
        shards.write(path, utterances(output, settings, number))
    return _seconds(shards.read(path))


def _timed_utterances(_output: Path, settings: CorpusSettings, number: int) -> list[dict[str, Any]]:
    cast = [speaker for speaker in speakers(settings.seed) if timed(speaker)]
    rng, shares = _rng(settings, number), _shares(cast)
    made: list[dict[str, Any]] = []
    for sentence in sentences(_seed(settings, number)):
        speaker = cast[int(rng.choice(len(cast), p=shares))]
        wave, symbols = render.flite_utterance(sentence, speaker, rng)
        if symbols is None or not render.MIN_S <= len(wave) / features.SAMPLE_RATE <= render.MAX_S:
            continue
        found = features.extract(wave)
        labels = render.timed(symbols, found.mel.shape[1])
        if labels is None:
            continue
        with_wave = bool(rng.random() < settings.wave_share)
        made.append(render.entry(wave, found, labels, speaker=speaker.name, text=sentence.text, with_wave=with_wave))
        if len(made) == _count(settings, number):
            break
    return made


def _aligned_utterances(output: Path, settings: CorpusSettings, number: int) -> list[dict[str, Any]]:
    cast = [
        speaker
        for speaker in speakers(settings.seed)
        if not timed(speaker) and (speaker.kind != FLITE or flite.available())
    ]
    rng = _rng(settings, number)
    lines = list(itertools.islice(sentences(_seed(settings, number)), _count(settings, number)))
    said_by = rng.choice(len(cast), size=len(lines), p=_shares(cast))
    spoken = [(sentence, cast[int(index)]) for sentence, index in zip(lines, said_by, strict=True)]
    return aligned.utterances(spoken, load_aligner(output / ALIGNER), rng, wave_share=settings.wave_share)


def _shares(cast: Sequence[Speaker]) -> np.ndarray:
    weights = np.array([speaker.weight for speaker in cast])
    return weights / weights.sum()


def _seed(settings: CorpusSettings, number: int) -> list[int]:
    return [settings.seed, _HELD_OUT_STREAM - number] if number < 0 else [settings.seed, number]


def _rng(settings: CorpusSettings, number: int) -> np.random.Generator:
    return np.random.default_rng([*_seed(settings, number), 1])


def _count(settings: CorpusSettings, number: int) -> int:
    return settings.held_out_utterances if number < 0 else settings.utterances_per_shard


def _seconds(made: Sequence[dict[str, Any]]) -> float:
    return sum(each["mel"].shape[1] for each in made) * features.HOP / features.SAMPLE_RATE


def write_summary(output: Path, settings: CorpusSettings) -> None:
    """Write corpus.json: speakers, settings, counts, seconds, licences and the hash of every shard there is."""
    paths = shards.training(output) + shards.held_out(output)
    counts: dict[str, list[float]] = {}
    listed = []
    for path in paths:
        made = shards.read(path)
        for each in made:
            total = counts.setdefault(each["speaker"], [0, 0.0])
            total[0] += 1
            total[1] += each["mel"].shape[1] * features.HOP / features.SAMPLE_RATE
        digest = plain_file.sha256_through_links(path)
        listed.append(
            {"file": path.name, "utterances": len(made), "seconds": round(_seconds(made), 2), "sha256": digest}
        )
    known = {speaker.name: asdict(speaker) for speaker in speakers(settings.seed)}
    cast = [
        {
            **known.get(name, {"name": name, "kind": "human", "band_hz": 8000.0}),
            "utterances": int(total[0]),
            "seconds": round(total[1], 2),
        }
        for name, total in sorted(counts.items())
    ]
    document = {
        "format": shards.FORMAT,
        "version": shards.VERSION,
        "settings": {**asdict(settings), "aligner": ALIGNER},
        "flite": flite.version(),
        "features": features.description(),
        "licences": {kind: _LICENCES[kind] for kind in ("text", *sorted({each["kind"] for each in cast}))},
        "seconds": round(sum(total[1] for total in counts.values()), 2),
        "speakers": cast,
        "shards": listed,
    }
    write_atomically(output / "corpus.json", strict_json.readable(document, indent=1, ascii_only=True))
