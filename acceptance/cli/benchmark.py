"""`voice benchmark`: a voice beside real speech, other speakers and other programs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from acceptance import policy as policies
from acceptance.cli import progress
from acceptance.cli.options import MOST_THREADS, chosen_recogniser, count_option, recogniser_options
from acceptance.cli.output import answers, emit
from acceptance.cli.policy_option import policy_option
from acceptance.failure import HarnessError
from trainer.errors import import_failures
from trainer.files import input_file

if TYPE_CHECKING:
    from trainer.evaluation.prompts import Item
    from trainer.synthesis.natural_voice import NaturalVoice

_path = click.Path(path_type=Path)
_processes = count_option("--processes", "Processes that measure.", default=2, most=MOST_THREADS)


def _named(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> dict[str, Path]:
    """Paths by name from `NAME=PATH`; a path alone is named by its stem."""
    pairs = [value.split("=", 1) if "=" in value else (Path(value).stem, value) for value in values]
    named = {name: Path(path) for name, path in pairs}
    if len(named) < len(pairs):
        raise click.BadParameter("two have one name; rename one: NAME=PATH", context, option)
    return named


_several = partial(click.option, multiple=True, callback=_named)


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
@answers
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
@click.option("--reference", type=_path, required=True, metavar="DIR", help="Real clips of the wanted speaker.")
@_processes
@click.option("--clips-table", is_flag=True, help="Also a line for every clip.")
@click.option("--output", type=_path, metavar="FILE", help="Write all of it as JSON.")
@recogniser_options
@policy_option
@answers
def rate(
    policy: Callable[[], policies.Policy],
    folders: tuple[Path, ...],
    texts: Path | None,
    reference: Path,
    processes: int,
    clips_table: bool,
    output: Path | None,
    recogniser: str | None,
    recogniser_weights: Path | None,
    as_json: bool,
) -> None:
    """Rate folders of clips as voice evaluate does, in one table.

    The clips are named by the numbers of their sentences. A sentence that no clip says has the worst marks.

    \b
    voice benchmark rate spoken/ --reference held_out/ --texts sentences.txt
    """
    rules = policy()
    limits = rules.audio.signal_limits()
    hears = chosen_recogniser(recogniser, recogniser_weights, rules.intelligibility.recogniser)
    _require_folders(*folders, reference)
    with import_failures():
        from trainer.evaluation import benchmark, evaluate, evaluation_tables, prompts, scores
        from trainer.files.atomic_file import write_atomically
    said = texts or benchmark.numbered()
    groups = [
        scores.Group(name=folder.name, items=prompts.with_texts(folder, said, None, progress.note))
        for folder in folders
    ]
    with progress.shown("rate") as on_total:
        found = scores.measure(
            groups,
            evaluate.reference_folder(reference),
            limits=limits,
            recogniser=hears,
            processes=processes,
            on_total=on_total,
        )
    document = scores.document(found, {})
    if output:
        write_atomically(output, document)
    if as_json:
        click.echo(document.decode(), nl=False)
        return
    if clips_table:
        for row in found.rows:
            click.echo(f"{row.name}\n\n{evaluation_tables.clips(row.clips)}{evaluation_tables.heard(row.clips)}")
    faults = [f"{row.name}/{fault}" for row in found.rows for fault in row.faults]
    click.echo("\n".join([scores.tables(found.rows).rstrip("\n"), *faults]))


@benchmark.command("run")
@click.option("--manifest", type=_path, metavar="FILE", help="Dataset whose held-out clips are the wanted speaker.")
@click.option("--reference", type=_path, metavar="DIR", help="Or held-out real clips in a folder.")
@click.option("--texts", type=_path, metavar="FILE", help="What is said in the folder, as name|text.")
@click.option("--others", type=_path, metavar="DIR", help="Clips of other speakers, one a file.")
@_several("--voice", "folders", metavar="NAME=DIR", help="Rendered sentences, named by number.")
@_several("--checkpoint", "checkpoints", metavar="NAME=FILE", help="A voice to speak the sentences.")
@click.option("--without-base", is_flag=True, help="Leave out what the first voice was before adaptation.")
@click.option("--without-rivals", is_flag=True, help="Leave flite and espeak-ng out.")
@click.option(
    "--sentences", "count", type=click.IntRange(min=1), metavar="N", help="Only the first N sentences (a quick look)."
)
@click.option(
    "--output", type=_path, required=True, metavar="DIR", help="Gets the table, the plot, pictures and clips."
)
@_processes
@count_option("--threads", "For the voices (their bytes depend on it).", default=2, most=MOST_THREADS)
@recogniser_options
@policy_option
@answers
def run(
    policy: Callable[[], policies.Policy],
    manifest: Path | None,
    reference: Path | None,
    texts: Path | None,
    others: Path | None,
    folders: dict[str, Path],
    checkpoints: dict[str, Path],
    without_base: bool,
    without_rivals: bool,
    count: int | None,
    output: Path,
    processes: int,
    threads: int,
    recogniser: str | None,
    recogniser_weights: Path | None,
    as_json: bool,
) -> None:
    """Write one table of a voice and all it is compared with.

    Voices with one name up to " #" are trainings of one voice: a second table has their means and ranges.

    \b
    voice benchmark run --manifest manifest.json --checkpoint voice=voice.pt --output benchmark
    voice benchmark run --manifest manifest.json --checkpoint "voice #0=a.pt" --checkpoint "voice #1=b.pt" --output benchmark
    """
    if (manifest is None) == (reference is None):
        raise click.UsageError("give --manifest or --reference, and not both")
    input_file.require(
        HarnessError, manifest, cause="manifest_invalid", next_step="name the manifest of a prepared recording"
    )
    _require_folders(reference, others, *folders.values())
    for path in checkpoints.values():
        input_file.require(
            HarnessError, path, cause="checkpoint_missing", next_step="give the checkpoint of a trained voice"
        )
    rules = policy()
    with import_failures():
        from trainer.evaluation import benchmark, prompts, scores, voices
        from trainer.synthesis.sentences import SENTENCES
    sentences = SENTENCES[:count]
    rendered = {name: prompts.with_texts(folder, benchmark.numbered(), None) for name, folder in folders.items()}
    plan = benchmark.Plan(
        reference=_real(manifest, reference, texts),
        speakers=_speakers(checkpoints, threads=threads, with_base=not without_base),
        rendered={name: [item for item in items if item.prompt in sentences] for name, items in rendered.items()},
        programs={} if without_rivals else voices.programs(),
        others=others,
        sentences=sentences,
        limits=rules.audio.signal_limits(),
        recogniser=chosen_recogniser(recogniser, recogniser_weights, rules.intelligibility.recogniser),
    )
    with progress.shown("benchmark") as on_total:
        rows = benchmark.write(plan, output, processes=processes, on_total=on_total)
    text = f"{scores.tables(rows)}written to {output}"
    emit({"schema": "benchmark/1", "output": str(output), "scores": str(output / "scores.json")}, text, as_json=as_json)


def _require_folders(*folders: Path | None) -> None:
    for folder in folders:
        input_file.require(HarnessError, folder, cause="audio_missing", next_step="name a folder with clips")


def _real(path: Path | None, folder: Path | None, texts: Path | None) -> list[Item]:
    """The held-out clips of a manifest or a folder, with their texts."""
    from trainer.dataset import manifest
    from trainer.evaluation import prompts

    if path is not None:
        return prompts.held_out(path, manifest.load(path))
    assert folder is not None
    found = prompts.with_texts(folder, texts, None) if texts else prompts.without_texts(folder)
    return [item for item in found if item.path]


def _speakers(checkpoints: dict[str, Path], *, threads: int, with_base: bool) -> dict[str, NaturalVoice]:
    """The base before adaptation, then every checkpoint, by name."""
    from trainer.evaluation import voices
    from trainer.training import determinism

    determinism.fix(threads)
    adapted = {name: voices.from_checkpoint(path) for name, path in checkpoints.items()}
    if not (with_base and adapted):
        return adapted
    return {"base, not adapted": voices.before_adaptation(next(iter(adapted.values()))), **adapted}
