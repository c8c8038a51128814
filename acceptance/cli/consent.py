"""`voice consent`: the record of what a speaker allows."""

from __future__ import annotations

from pathlib import Path

import click

from acceptance.cli.output import NO, YES, answers, emit, finish
from acceptance.voices import consent as records
from acceptance.voices import store
from trainer.evaluation import checkpoints
from trainer.files import output_file, rows
from trainer.files.atomic_file import write_atomically
from trainer.files.printable import printable
from trainer.voice.natural_licence import NATURAL_LICENCE


@click.group()
def consent() -> None:
    """Write or show a speaker's consent record.

    \b
    voice consent init data/voice.toml
    voice consent show data/voice.toml
    """


@consent.command()
@click.argument("file", type=click.Path(path_type=Path), default=Path(records.NAME), required=False)
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path),
    metavar="VOICE",
    help="A voice, or the start of a kept one's hash: its weights' licence is filled in  [the default base's].",
)
@click.option("--overwrite", is_flag=True, help="Replace a file that exists.")
@answers
def init(file: Path, checkpoint: Path | None, overwrite: bool, as_json: bool) -> None:
    """Write a record to fill in.

    Put it beside the recording as voice.toml: productions find it there. Its empty values must be filled in before it counts. The licence
    of the weights is that which the base carries; a checkpoint that carries none leaves it empty.

    \b
    voice consent init data/voice.toml
    """
    output_file.refuse_existing(file, overwrite=overwrite)
    write_atomically(file, records.template(consent=records.today(), weights=_licence(checkpoint)).encode())
    step = "fill in the empty values, then look at it: voice consent show"
    emit({"schema": "consent_template/1", "file": str(file), "next": step},
         rows.text([("consent record", str(file)), ("next", step)]), as_json=as_json)  # fmt: skip


def _licence(checkpoint: Path | None) -> str:
    """What the weights of a voice, or of the default base, are under; empty for a voice that does not say."""
    path = store.named(Path(), checkpoint)
    if path is None:
        return NATURAL_LICENCE.spdx
    found = checkpoints.read(path).licence
    return printable(found.name).strip() if found else ""


@consent.command()
@click.argument("file", type=click.Path(path_type=Path), default=Path(records.NAME), required=False)
@answers
def show(file: Path, as_json: bool) -> None:
    """Show what a record allows today.

    Ends with 0 if productions are allowed, 1 if not, 2 if the record cannot be used.

    \b
    voice consent show data/voice.toml
    """
    found = records.read(file)
    problem = found.problem("produce", records.today())
    document = {"schema": "consent/1", **found.document(), "problem": problem}
    shown = {**found.document(), "scope": ", ".join(found.scope), "expires": found.document()["expires"] or "never"}
    said = [(name.replace("_", " "), str(value)) for name, value in shown.items() if value]
    emit(document, rows.text([*said, ("production", problem or "allowed")]), as_json=as_json)
    finish(NO if problem else YES)
