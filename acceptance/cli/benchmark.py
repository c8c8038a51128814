"""`voice benchmark`: a voice beside real speech, other speakers and other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from acceptance.cli import progress
from acceptance.cli.output import answers_errors, emit, json_option
from acceptance.failure import HarnessError
from trainer.errors import import_failures
from trainer.files import input_file

if TYPE_CHECKING:
    import numpy as np

    from trainer.evaluation.rating import ClipScore
    from trainer.evaluation.voices import Candidate

_path = click.Path(path_type=Path)
_processes = click.option(
    "--processes", type=click.IntRange(min=1), default=2, show_default=True, help="Processes that measure."
)


class NamedPath(click.ParamType[tuple[str, Path]]):
    """`NAME=PATH`, or a path that names itself by its stem."""

    name = "named path"

    def convert(
        self, value: str | tuple[str, Path], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, Path]:
        """(name, path)."""
        if isinstance(value, tuple):
            return value
        name, separator, path = value.partition("=")
        return (name, Path(path)) if separator else (Path(value).stem, Path(value))


@click.group()
def benchmark() -> None:
    """Compare a voice with real speech and other programs.

    \b
    voice benchmark sentences > sentences.txt
    voice benchmark rate spoken/ --reference held_out/
    voice benchmark run --manifest manifest.json --checkpoint voice=voice.pt --output benchmark
    """


@benchmark.command()
@click.option("--listening", is_flag=True, help="The sentences for ears instead.")
@json_option
@answers_errors
def sentences(listening: bool, as_json: bool) -> None:
    """Print what every voice of the benchmark has to say.

    \b
    voice benchmark sentences > sentences.txt
    """
    from trainer.synthesis.sentences import LISTENING, SENTENCES

    found = LISTENING if listening else SENTENCES
    emit({"schema": "sentences/1", "sentences": list(found)}, "\n".join(found), as_json=as_json)


@benchmark.command()
@click.argument("folders", type=_path, nargs=-1, required=True, metavar="DIR...")
@click.option("--texts", type=_path, metavar="FILE", help="One sentence a line, or name|text  [the benchmark's].")
@click.option("--reference", type=_path, metavar="DIR", help="Real clips of the wanted speaker.")
@_processes
@click.option("--clips-table", is_flag=True, help="Also a line for every clip.")
@click.option("--output", type=_path, metavar="FILE", help="Write all of it as JSON.")
@json_option
@answers_errors
def rate(
    folders: tuple[Path, ...],
    texts: Path | None,
    reference: Path | None,
    processes: int,
    clips_table: bool,
    output: Path | None,
    as_json: bool,
) -> None:
    """Rate folders of clips: similarity, WER, PER and DNSMOS.

    The clips are named by the numbers of their sentences.

    \b
    voice benchmark rate spoken/ --reference held_out/ --texts sentences.txt
    """
    for folder in (*folders, reference):
        input_file.require(HarnessError, folder, cause="audio_missing", next_step="name a folder with clips")
    with import_failures():
        from trainer.evaluation import clip_files, rating, tables
        from trainer.files.atomic_file import write_atomically
    said = clip_files.read_texts(texts) if texts else clip_files.numbered()
    references = _reference_vectors(reference) if reference else {}
    clips = {folder: clip_files.read_folder(folder, said) for folder in folders}
    with progress.shown("rate") as on_total:
        every = [clip for each in clips.values() for clip in each]
        scores = rating.score_all(every, processes=processes, on_progress=on_total(len(every)))
    rows, lines, position = [], [], 0
    for folder, each in clips.items():
        mine = scores[position : position + len(each)]
        position += len(each)
        if clips_table:
            lines += [_clip_line(one, references) for one in mine]
        rows.append(rating.summarise(folder.name, mine, references))
    document = tables.document(rows, {})
    if output:
        write_atomically(output, document)
    if as_json:
        click.echo(document.decode(), nl=False)
        return
    faults = [f"{row.name}/{fault}" for row in rows for fault in row.faults]
    click.echo("\n".join([*lines, tables.markdown(rows).rstrip("\n"), *faults]))


@benchmark.command("run")
@click.option("--manifest", type=_path, metavar="FILE", help="Dataset whose held-out clips are the wanted speaker.")
@click.option("--reference", type=_path, metavar="DIR", help="Or held-out real clips in a folder.")
@click.option("--texts", type=_path, metavar="FILE", help="What is said in the folder, as name|text.")
@click.option("--others", type=_path, metavar="DIR", help="Clips of other speakers, one a file.")
@click.option(
    "--voice",
    "folders",
    type=NamedPath(),
    multiple=True,
    metavar="NAME=DIR",
    help="Rendered sentences, named by number.",
)
@click.option(
    "--checkpoint",
    "checkpoints",
    type=NamedPath(),
    multiple=True,
    metavar="NAME=FILE",
    help="A voice to speak the sentences.",
)
@click.option("--without-base", is_flag=True, help="Leave out what the first voice was before adaptation.")
@click.option("--without-rivals", is_flag=True, help="Leave flite and espeak-ng out.")
@click.option(
    "--sentences", "count", type=click.IntRange(min=1), metavar="N", help="Only the first N sentences (a quick look)."
)
@click.option(
    "--output", type=_path, required=True, metavar="DIR", help="Gets the table, the plot, pictures and clips."
)
@_processes
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    help="For the voices (their bytes depend on it).",
)
@json_option
@answers_errors
def run(
    manifest: Path | None,
    reference: Path | None,
    texts: Path | None,
    others: Path | None,
    folders: tuple[tuple[str, Path], ...],
    checkpoints: tuple[tuple[str, Path], ...],
    without_base: bool,
    without_rivals: bool,
    count: int | None,
    output: Path,
    processes: int,
    threads: int,
    as_json: bool,
) -> None:
    """Write one table of a voice and all it is compared with.

    \b
    voice benchmark run --manifest manifest.json --checkpoint voice=voice.pt --output benchmark
    """
    if (manifest is None) == (reference is None):
        raise click.UsageError("give --manifest or --reference, and not both")
    input_file.require(
        HarnessError, manifest, cause="manifest_invalid", next_step="name the manifest of a prepared recording"
    )
    for folder in (reference, others, *(path for _, path in folders)):
        input_file.require(HarnessError, folder, cause="audio_missing", next_step="name a folder with clips")
    for _, path in checkpoints:
        input_file.require(
            HarnessError, path, cause="checkpoint_missing", next_step="give the checkpoint of a trained voice"
        )
    with import_failures():
        from trainer.evaluation import clip_files, report, tables
        from trainer.synthesis.sentences import SENTENCES
    candidates = _candidates(checkpoints, threads=threads, with_base=not without_base)
    real = clip_files.read_held_out(manifest) if manifest else []
    if reference is not None:
        real = clip_files.read_folder(reference, clip_files.read_texts(texts) if texts else None)
    plan = report.Plan(
        reference=real,
        speakers={name: candidate.speak for name, candidate in candidates.items()},
        copies={f"copy synthesis, {name}": candidate.copy for name, candidate in candidates.items()},
        facts={"voices": {name: candidate.sha256 for name, candidate in candidates.items()}},
        rendered=dict(folders),
        others=others,
        with_rivals=not without_rivals,
        sentences=SENTENCES[:count],
    )
    with progress.shown("benchmark") as on_total:
        rows = report.write(plan, output, processes=processes, on_total=on_total)
    text = f"{tables.markdown(rows)}written to {output}"
    emit({"schema": "benchmark/1", "output": str(output), "scores": str(output / "scores.json")}, text, as_json=as_json)


def _candidates(checkpoints: tuple[tuple[str, Path], ...], *, threads: int, with_base: bool) -> dict[str, Candidate]:
    """The base before adaptation, then every checkpoint, by name."""
    if not checkpoints:
        return {}
    from trainer.evaluation import voices
    from trainer.training import determinism

    determinism.fix(threads)
    adapted = {name: voices.from_checkpoint(path) for name, path in checkpoints}
    if not with_base:
        return adapted
    return {"base, not adapted": voices.before_adaptation(next(iter(adapted.values()))), **adapted}


def _reference_vectors(folder: Path) -> dict[str, np.ndarray]:
    """Speaker vectors of a folder's clips by name."""
    from trainer.evaluation import clip_files
    from trainer.models.speaker_encoder import SpeakerEncoder

    encoder = SpeakerEncoder()
    return {clip.name: encoder.embed(clip.wave, clip.sample_rate) for clip in clip_files.read_folder(folder)}


def _clip_line(one: ClipScore, references: dict[str, np.ndarray]) -> str:
    from trainer.evaluation import rating, tables

    row = rating.summarise(one.clip, [one], references)
    found = [
        f"{heading} {getattr(row, field).value:.{decimals}f}"
        for field, heading, decimals in tables.COLUMNS
        if getattr(row, field)
    ]
    return f"{one.clip:>12}  {'  '.join(found)}  heard: {' '.join(one.heard)}"
