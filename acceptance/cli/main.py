"""The program `voice` (also `python -m acceptance.cli`): its commands, and how every failure ends."""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence

import click

from acceptance.cli.output import INTERRUPTED, NO_ANSWER
from trainer.files.printable import error_line, printable
from trainer.wait_policy import wait_asleep

SECTIONS = {
    "Make a voice": ("init", "prepare", "train", "fleet"),
    "Judge it": ("evaluate", "scorecard", "compare", "benchmark", "thresholds"),
    "Use it": ("say", "produce", "export", "promote", "versions", "rollback"),
    "Look at runs and datasets": ("report", "manifest", "cost"),
}
RARE = (
    "announce", "calibrate", "causes", "consent", "demo-recording", "keep", "merge", "pretrain", "prune", "remeasure", "resynthesize", "verify",
)  # fmt: skip
"""Commands that few need: the help only names them."""
COMMANDS = (*(name for names in SECTIONS.values() for name in names), *RARE)
_IN_MODULE = {
    "causes": "reports", "report": "reports", "keep": "versions", "prune": "versions", "rollback": "versions", "remeasure": "train",
    "resynthesize": "train",
}  # fmt: skip
"""The module of a command that is not called like it. It is imported when its command is called or described; none imports torch before it
has to measure."""
_LONGEST_HELP = 60
_LONGEST = 500  # letters of an exception's message
_LONGEST_USAGE = 2000


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command is needed."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Names of all commands, in the order of their sections; imports none of them."""
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """The command of that name, its module imported; None where there is none."""
        if name not in COMMANDS:
            return None
        function = name.replace("-", "_")
        return getattr(importlib.import_module(f"acceptance.cli.{_IN_MODULE.get(name, function)}"), function)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Every section with its commands."""
        for section, names in SECTIONS.items():
            with formatter.section(section):
                commands = [(name, self.get_command(context, name)) for name in names]
                widest = max(map(len, COMMANDS))
                formatter.write_dl(
                    [
                        (f"{name:<{widest}}", command.get_short_help_str(_LONGEST_HELP))
                        for name, command in commands
                        if command
                    ]
                )
        with formatter.section("Rarely needed"):
            formatter.write_text(", ".join(RARE))


_HELP = """\b
Learn a voice from a recording, judge it, keep it.
Train and judge in one go: pytest acceptance -q --objective=NAME.toml
Exit status: 0 done or yes, 1 no, 2 error, 130 Ctrl-C. All take --json.
Completion in bash (zsh, fish): eval "$(_VOICE_COMPLETE=bash_source voice)"
"""


@click.command(cls=LazyGroup, help=_HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="voice-acceptance", prog_name="voice")
def voice() -> None:
    """The program: one command of SECTIONS."""


def main() -> None:
    """Entry point of the console script."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit status. Whatever stops it is one line on stderr, with --json also an object on stdout."""
    wait_asleep()
    try:
        status = voice(list(arguments), prog_name="voice", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return NO_ANSWER
    except click.ClickException as error:
        if "--json" in arguments:  # one line and one object, as every other error
            _say_as_json(arguments, error.format_message(), "usage")
            click.echo(error_line(error.format_message(), "usage"), err=True)
        else:
            error.message = printable(error.message, _LONGEST_USAGE)  # type: ignore[misc]  # what click shows
            error.show()
        return NO_ANSWER
    except (click.Abort, KeyboardInterrupt):
        click.echo("error: interrupted", err=True)
        return INTERRUPTED
    except OSError as error:
        _say_as_json(arguments, str(error), "file_unusable")
        click.echo(error_line(f"{error}; check the path and its permissions", "file_unusable"), err=True)
        return NO_ANSWER
    except Exception as error:  # a defect of this program: its traceback's exit status would be 1, the answer no
        message = " ".join(str(error).split())[:_LONGEST].encode("utf-8", "backslashreplace").decode()
        said = f"internal error: {type(error).__name__}: {message}; {_kept(error)}"
        _say_as_json(arguments, said, "internal_error")
        click.echo(error_line(said, "internal_error"), err=True)
        return NO_ANSWER
    return status if isinstance(status, int) else 0


def _kept(error: Exception) -> str:
    """Where the traceback is: in a file, or on stderr where none can be written."""
    text = "".join(traceback.format_exception(error)).encode("utf-8", "backslashreplace")
    try:
        descriptor, path = tempfile.mkstemp(prefix="voice-error-", suffix=".txt")
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
    except OSError:
        click.echo(text.decode(), err=True)
        return "its traceback stands above"
    return f"its traceback is in {path}"


def _say_as_json(arguments: Sequence[str], error: str, cause: str) -> None:
    if "--json" in arguments:
        click.echo(json.dumps({"error": error, "cause": cause}))
