"""`voice say` and `voice prepare`: as `python -m trainer`, with its options."""

from __future__ import annotations

import click

from acceptance.cli.output import finish
from trainer.__main__ import main

_AS_IT_IS = {"ignore_unknown_options": True, "help_option_names": []}
_words = click.argument("words", nargs=-1, type=click.UNPROCESSED)


@click.command(context_settings=_AS_IT_IS)
@_words
def say(words: tuple[str, ...]) -> None:
    """Speak a text with a trained voice (options: voice say --help).

    \b
    voice say "Good morning." --checkpoint voice.pt -o hello.wav
    """
    finish(main(["say", *words]))


@click.command(context_settings=_AS_IT_IS)
@_words
def prepare(words: tuple[str, ...]) -> None:
    """Cut a recording into utterances and show what is dropped (options: voice prepare --help).

    \b
    voice prepare recording.flac --output artifacts/prepare
    """
    finish(main(["prepare", *words]))
