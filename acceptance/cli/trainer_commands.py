"""`voice say` and `voice prepare`: as `python -m trainer`, with its options; `say` finds the voice of the newest run by itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from acceptance import report, workspace
from acceptance.cli.output import answers_errors, finish
from acceptance.verdict import ObjectiveStatus
from trainer.__main__ import main
from trainer.errors import TrainingError

_AS_IT_IS = {"ignore_unknown_options": True, "help_option_names": []}
_words = click.argument("words", nargs=-1, type=click.UNPROCESSED)


@click.command(context_settings=_AS_IT_IS)
@_words
@answers_errors
def say(words: tuple[str, ...]) -> None:
    """Speak a text with a trained voice (options: voice say --help).

    Without --checkpoint it is the voice of the newest run in the current directory, if that run ended in success.

    \b
    voice say "Good morning." -o hello.wav
    voice say --file book.txt --checkpoint voice.pt -o book.flac
    """
    finish(main(["say", *words, *_checkpoint_option(words)]))


@click.command(context_settings=_AS_IT_IS)
@_words
def prepare(words: tuple[str, ...]) -> None:
    """Cut a recording into utterances and show what is dropped (options: voice prepare --help).

    \b
    voice prepare recording.flac --output artifacts/prepare
    """
    finish(main(["prepare", *words]))


def certified_checkpoint(directory: Path) -> Path:
    """The checkpoint of the newest run in a workspace; raises TrainingError(checkpoint_missing) unless that run is a success."""
    try:
        run = workspace.find_run(directory, None)
        record = workspace.load_run(run)
    except (FileNotFoundError, ValueError) as error:
        raise TrainingError(f"no voice was trained here ({error}); name one: --checkpoint VOICE", cause="checkpoint_missing") from error
    if record.verdict().status is not ObjectiveStatus.SUCCESS:
        raise TrainingError(
            f"run {run.name} did not end in success (voice report); name a voice: --checkpoint VOICE", cause="checkpoint_missing"
        )
    return directory / report.values(record)["checkpoint_path"]


def _checkpoint_option(words: Sequence[str]) -> list[str]:
    """What is missing in the command line of `say`: nothing where a voice is named, or only help is wanted."""
    named = any(word == "--checkpoint" or word.startswith("--checkpoint=") for word in words)
    return [] if named or {"-h", "--help"} & set(words) else [f"--checkpoint={certified_checkpoint(Path())}"]
