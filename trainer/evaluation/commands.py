"""What `python -m trainer.evaluation` does; beside `progress` the only module here that prints."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from trainer.evaluation import clip_files, evaluation_tables, progress, rating, report, tables
from trainer.evaluation.faults import SignalLimits
from trainer.evaluation.rating import Clip, ClipScore
from trainer.evaluation.request import Files, Request, answer
from trainer.files.atomic_file import write_atomically
from trainer.models.speaker_encoder import SpeakerEncoder
from trainer.synthesis.sentences import LISTENING, SENTENCES

if TYPE_CHECKING:
    from trainer.evaluation.voices import Candidate


def sentences(options: argparse.Namespace) -> int:
    """`sentences`: one a line, in order."""
    print("\n".join(LISTENING if options.listening else SENTENCES))
    return 0


def rate(options: argparse.Namespace) -> int:
    """`rate DIR...`: one row for every folder."""
    texts = clip_files.read_texts(options.texts) if options.texts else clip_files.numbered()
    references = reference_vectors(options.reference) if options.reference else {}
    folders = {folder: clip_files.read_folder(folder, texts) for folder in options.clips}
    scores = score_with_bar([clip for clips in folders.values() for clip in clips], options.processes)
    rows, position = [], 0
    for folder, clips in folders.items():
        mine = scores[position : position + len(clips)]
        position += len(clips)
        if options.clips_table:
            _print_clips(mine, references)
        rows.append(rating.summarise(folder.name, mine, references))
    print(tables.markdown(rows), end="")
    for row in rows:
        for fault in row.faults:
            print(f"{row.name}/{fault}")
    if options.json:
        write_atomically(options.json, tables.document(rows, {}))
    return 0


def benchmark(options: argparse.Namespace) -> int:
    """`benchmark`: judge everything, write the table, the plot, pictures and clips."""
    texts = clip_files.read_texts(options.texts) if options.texts else None
    candidates = _candidates(options)
    plan = report.Plan(
        reference=clip_files.read_held_out(options.manifest) if options.manifest else clip_files.read_folder(options.reference, texts),
        speakers={name: candidate.speak for name, candidate in candidates.items()},
        copies={f"copy synthesis, {name}": candidate.copy for name, candidate in candidates.items()},
        facts={"voices": {name: candidate.sha256 for name, candidate in candidates.items()}},
        rendered=dict(options.voice),
        others=options.others,
        with_rivals=not options.without_rivals,
        sentences=SENTENCES[: options.sentences],
    )
    with progress.shown("benchmark") as on_total:
        rows = report.write(plan, options.output, processes=options.processes, on_total=on_total)
    print(tables.markdown(rows), end="")
    print(f"written to {options.output}")
    return 0


def evaluate(options: argparse.Namespace) -> int:
    """`evaluate`: the table on stdout, and the files that were asked for."""
    request = Request(
        generated=options.generated,
        reference=options.reference,
        manifest=options.manifest,
        texts=options.texts,
        without_texts=options.without_texts,
        encoder=options.encoder,
        checkpoint=options.checkpoint,
        limits=SignalLimits(**dict(options.limit)),
        processes=options.processes,
        files=Files(evaluation=options.output, markdown=options.markdown, plot=options.plot, overwrite=options.overwrite),
    )
    print(evaluation_tables.text(answer(request)), end="")
    return 0


def _candidates(options: argparse.Namespace) -> dict[str, Candidate]:
    """The base before adaptation, then every checkpoint, by name."""
    if not options.checkpoint:
        return {}
    from trainer.evaluation import voices
    from trainer.training import determinism

    determinism.fix(options.threads)
    adapted = {name: voices.from_checkpoint(path) for name, path in options.checkpoint}
    if options.without_base:
        return adapted
    return {"base, not adapted": voices.before_adaptation(next(iter(adapted.values()))), **adapted}


def reference_vectors(folder: Path) -> dict[str, np.ndarray]:
    """Speaker vectors of a folder's clips by name."""
    encoder = SpeakerEncoder()
    return {clip.name: encoder.embed(clip.wave, clip.sample_rate) for clip in clip_files.read_folder(folder)}


def score_with_bar(clips: Sequence[Clip], processes: int) -> list[ClipScore]:
    """`rating.score_all`, showing how far it is."""
    with progress.shown("rate") as on_total:
        return rating.score_all(clips, processes=processes, on_progress=on_total(len(clips)))


def _print_clips(scores: Sequence[ClipScore], references: dict[str, np.ndarray]) -> None:
    for one in scores:
        row = rating.summarise(one.clip, [one], references)
        found = [f"{heading} {getattr(row, field).value:.{decimals}f}" for field, heading, decimals in tables.COLUMNS if getattr(row, field)]
        print(f"{one.clip:>12}  {'  '.join(found)}  heard: {' '.join(one.heard)}")
