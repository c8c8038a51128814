"""The commands that are the trainer's too take exactly its options: in help, in completion and in what they refuse."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from acceptance.cli.argparse_options import options_of
from acceptance.cli.main import run, voice
from trainer.preparation.prepare_command import add_prepare
from trainer.synthesis.arguments import add_say

SHARED = [("say", add_say), ("prepare", add_prepare)]


@pytest.mark.parametrize(("name", "add"), SHARED)
def test_help_shows_every_option_of_the_trainer(name: str, add: Callable[..., argparse.ArgumentParser]) -> None:
    described = add(argparse.ArgumentParser().add_subparsers()).format_help()
    shown = CliRunner().invoke(voice, [name, "--help"]).output
    options = {word.strip("[],|()") for word in described.split() if word.strip("[],|()").startswith("--")}
    assert len(options) > 4 and all(option in shown for option in options)


@pytest.mark.parametrize(
    ("words", "incomplete", "expected"),
    [
        (["say"], "--out", {"--output", "--output-dir"}),
        (["say", "--format"], "", {"wav", "flac", "raw"}),
        (["say", "--sample-rate"], "2", {"22050", "24000"}),
        (["prepare"], "--no", {"--no-transcripts"}),
    ],
)
def test_a_shell_completes_what_the_trainer_takes(words: list[str], incomplete: str, expected: set[str]) -> None:
    completion = ShellComplete(voice, {}, "voice", "_VOICE_COMPLETE")
    assert {item.value for item in completion.get_completions(words, incomplete)} == expected


@pytest.mark.parametrize("words", [["a", "--size", "2"], ["--size=2", "a"], ["a", "--size", "2", "--name", "x", "--quick"], ["-", "--size", "-3"]])
def test_words_mean_what_they_mean_to_argparse(words: list[str]) -> None:
    def add(commands: argparse._SubParsersAction) -> argparse.ArgumentParser:
        parser = commands.add_parser("any")
        parser.add_argument("place", nargs="?", type=Path, metavar="PLACE")
        parser.add_argument("--size", type=int, required=True)
        parser.add_argument("--name", default="none")
        parser.add_argument("--quick", action="store_true")
        return parser

    seen = []

    @click.command()
    @options_of(add)
    def command(options: argparse.Namespace) -> None:
        seen.append(options)

    assert CliRunner().invoke(command, words).exit_code == 0
    assert seen == [add(argparse.ArgumentParser().add_subparsers()).parse_args(words)]


def test_an_option_is_not_guessed_from_its_beginning(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["prepare", "a.flac", "--out", "b"]) == 2
    assert "No such option" in capfd.readouterr().err
