"""`voice consent`: the record of what a speaker allows."""

from __future__ import annotations

from pathlib import Path

import click

from acceptance.cli.output import NO, YES, answers, emit, finish
from acceptance.voices import consent as records
from trainer.files import output_file, rows
from trainer.files.atomic_file import write_atomically


@click.group()
def consent() -> None:
    """Write or show a speaker's consent record.

    \b
    voice consent init data/voice.toml
    voice consent show data/voice.toml
    """


@consent.command()
@click.argument("file", type=click.Path(path_type=Path), default=Path(records.NAME), required=False)
@click.option("--overwrite", is_flag=True, help="Replace a file that exists.")
@answers
def init(file: Path, overwrite: bool, as_json: bool) -> None:
    """Write a record to fill in.

    Put it beside the recording as voice.toml: productions find it there. Its empty values must be filled in before it counts.

    \b
    voice consent init data/voice.toml
    """
    output_file.refuse_existing(file, overwrite=overwrite)
    write_atomically(file, records.template(consent=records.today()).encode())
    step = "fill in the empty values, then look at it: voice consent show"
    emit({"schema": "consent_template/1", "file": str(file), "next": step},
         rows.text([("consent record", str(file)), ("next", step)]), as_json=as_json)  # fmt: skip


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
