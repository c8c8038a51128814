"""What every command of `voice` has in common: `--json`, and failures that end in one line or one JSON object instead of a traceback."""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, ParamSpec, TypeVar

import click

from acceptance.failure import HarnessError
from trainer.errors import TrainerError, from_import_error
from trainer.files.printable import error_line

P = ParamSpec("P")
R = TypeVar("R")

YES, NO, NO_ANSWER, INTERRUPTED = 0, 1, 2, 130
"""Exit statuses: the answer is yes; it is no; there is none (wrong usage, unusable input); Ctrl-C."""


def emit(document: Mapping[str, Any], text: str, *, as_json: bool) -> None:
    """Print the document, or what a person reads."""
    click.echo(json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) if as_json else text)


def finish(status: int) -> NoReturn:
    """End the command with an exit status."""
    click.get_current_context().exit(status)
    raise AssertionError


def answers(command: Callable[P, R]) -> Callable[P, R]:
    """Decorator under `@click.command`: the command has `--json`, and answers its errors.

    An error becomes one line on stderr (or `{"error": …, "cause": …}` on stdout) and status 2.
    """

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            try:
                return command(*args, **kwargs)
            except ImportError as error:  # whatever a command imports late
                raise from_import_error(error) from error
        except (
            BrokenPipeError
        ):  # the reader went away (`voice … | head`): nothing is left to tell it, at Python's end neither
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            finish(NO_ANSWER)
        except (HarnessError, TrainerError) as error:
            if kwargs.get("as_json"):
                click.echo(json.dumps({"error": str(error), "cause": error.cause}, ensure_ascii=False))
            click.echo(error_line(error, error.cause), err=True)
            finish(NO_ANSWER)

    return wrapped
