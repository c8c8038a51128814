"""`voice say`: as `python -m trainer say`; it finds the voice of the newest success by itself."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import click

from acceptance.cli.argparse_options import options_of
from acceptance.cli.output import NO_ANSWER, YES, answers_errors, emit, finish, json_option
from acceptance.record import workspace
from acceptance.record.makers import certifier
from acceptance.report import block
from acceptance.verdict import ObjectiveStatus
from acceptance.voices import store
from trainer.errors import DataError, TrainingError, import_failures
from trainer.files import input_file, plain_file, rows
from trainer.files.plain_file import PlainFileError
from trainer.synthesis.arguments import STDOUT, add_say
from trainer.synthesis.outcome import Outcome

_NEWEST = {"checkpoint": "that of the newest run that ended in success"}


@click.command()
@options_of(add_say, optional=_NEWEST)
@json_option
@answers_errors
def say(options: argparse.Namespace, as_json: bool) -> None:
    """Speak a text in English with a trained voice.

    Without --checkpoint it is the voice of the newest run in the current directory that ended in success; VOICE may be the start of the hash
    of a kept one (voice versions). The text is spoken sentence by
    sentence: it may be as long as a book.

    \b
    voice say "Good morning." -o hello.wav
    voice say --file book.txt --checkpoint voice.pt -o book.flac
    voice say --file sentences.txt --lines --output-dir spoken --json
    voice say "Good morning." -o - | aplay
    voice say "Good morning." --checkpoint 3598cec15fc5 -o earlier.wav
    """
    if as_json and options.output == STDOUT:
        raise click.UsageError("--json and -o - exclude each other: both write on standard output")
    run = None
    if options.checkpoint is None:
        options.checkpoint, run = certified_checkpoint(Path())
        click.echo(f"voice: {options.checkpoint} (run {run})", err=True)
    else:
        options.checkpoint = store.named(Path(), options.checkpoint)
    input_file.require(TrainingError, options.checkpoint, cause="missing", next_step="give the checkpoint of a trained voice")
    input_file.require(DataError, getattr(options, "file", None), cause="text_missing", next_step="give a UTF-8 text file")
    with import_failures():
        from trainer.synthesis import command
    if options.output == STDOUT:
        finish(NO_ANSWER if command.say(options) else YES)
    outcome = command.speak(options)
    emit(_document(outcome, options.checkpoint, run), rows.text(outcome.rows()), as_json=as_json)
    finish(NO_ANSWER if outcome.failed else YES)


def _document(outcome: Outcome, checkpoint: Path, run: str | None) -> dict[str, Any]:
    return {
        "schema": "say/1",
        "checkpoint": str(checkpoint),
        "run": run,
        "files": [
            {
                "path": str(file.path),
                "line": file.line,
                "seconds": round(file.seconds, 6),
                "sha256": plain_file.sha256(file.path.resolve()),
            }
            for file in outcome.files
        ],
        "failed": [{"line": each.line, "error": each.error, "cause": each.cause} for each in outcome.failed],
        "warnings": list(outcome.warnings),
    }


def certified_checkpoint(directory: Path) -> tuple[Path, str]:
    """(checkpoint, id) of the newest run of a workspace that ended in success.

    Raises TrainingError: checkpoint_missing where there is no such run, artifact_mismatch where the file is another one now.
    """
    for run in reversed(workspace.run_dirs(directory)):
        try:
            record = workspace.load_run(run)
        except ValueError:
            continue  # `voice report` says what is wrong with it
        if record.verdict().status is ObjectiveStatus.SUCCESS:
            values = block.values(record)
            path = directory / values["checkpoint_path"]
            return path, _certified_by(directory, path, values["checkpoint_sha256"], run.name)
    raise TrainingError(
        f"no run under {directory / workspace.RUNS} ended in success; train one (pytest acceptance -q), or name a voice: --checkpoint VOICE",
        cause="checkpoint_missing",
    )


def _certified_by(directory: Path, path: Path, sha256: str, run: str) -> str:
    """The run that certified the file: the newest one, or an earlier one whose voice was put back; raises TrainingError."""
    try:
        found = plain_file.sha256(path)
    except PlainFileError as error:
        raise TrainingError(
            f"{path}, the voice of run {run}, {error}; put a kept one there (voice versions, voice rollback), or name a voice: --checkpoint VOICE",
            cause="checkpoint_missing",
        ) from error
    if found == sha256:
        return run
    earlier = certifier(directory, found)
    if earlier is None:
        raise TrainingError(
            f"{path} is not the file that run {run} certified (sha256 {found[:12]}, not {sha256[:12]}); put a kept one there (voice versions, "
            f"voice rollback), or name it: --checkpoint {path}",
            cause="artifact_mismatch",
        )
    return earlier.run_id
