"""`voice say`: as `python -m trainer say`; it finds the voice of the newest success by itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from acceptance import report, workspace
from acceptance.cli.output import INTERRUPTED, NO_ANSWER, YES, answers_errors, finish
from acceptance.verdict import ObjectiveStatus
from trainer import plain_file
from trainer.__main__ import main
from trainer.errors import TrainingError
from trainer.plain_file import PlainFileError

_AS_IT_IS = {"ignore_unknown_options": True, "help_option_names": []}
_HELP = {"-h", "--help"}
_words = click.argument("words", nargs=-1, type=click.UNPROCESSED)


@click.command(context_settings=_AS_IT_IS)
@_words
@answers_errors
def say(words: tuple[str, ...]) -> None:
    """Speak a text with a trained voice.

    Without --checkpoint it is the voice of the newest run in the current directory that ended in success.

    \b
    voice say "Good morning." -o hello.wav
    voice say --file book.txt --checkpoint voice.pt -o book.flac
    """
    _trainer("say", words if _HELP & set(words) else (*words, *_checkpoint_option(words)))


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
            values = report.values(record)
            path = directory / values["checkpoint_path"]
            _check_certified(path, values["checkpoint_sha256"], run.name)
            return path, run.name
    raise TrainingError(
        f"no run under {directory / workspace.RUNS} ended in success; train one (pytest acceptance -q), or name a voice: --checkpoint VOICE",
        cause="checkpoint_missing",
    )


def _check_certified(path: Path, sha256: str, run: str) -> None:
    try:
        found = plain_file.sha256(path)
    except PlainFileError as error:
        raise TrainingError(
            f"{path}, the voice of run {run}, {error}; run again or name a voice: --checkpoint VOICE", cause="checkpoint_missing"
        ) from error
    if found != sha256:
        raise TrainingError(
            f"{path} is not the file that run {run} certified (sha256 {found[:12]}, not {sha256[:12]}); run again, or name it: --checkpoint {path}",
            cause="artifact_mismatch",
        )


def _checkpoint_option(words: Sequence[str]) -> list[str]:
    """What is missing in the command line of `say`: nothing where a voice is named."""
    if any(word == "--checkpoint" or word.startswith("--checkpoint=") for word in words):
        return []
    path, run = certified_checkpoint(Path())
    click.echo(f"voice: {path} (run {run})", err=True)
    return [f"--checkpoint={path}"]


def _trainer(command: str, words: Sequence[str]) -> None:
    """Run the trainer's command; its exit codes for kinds of failure are all `no answer` here."""
    context = click.get_current_context()
    if _HELP & set(words):
        click.echo(f"{context.get_help()}\n")
    code = main([command, *words], prog="voice")
    finish(code if code in (YES, INTERRUPTED) else NO_ANSWER)
