"""The trainer's options as click options, so that a command of both programs is described in one place.

argparse has no public way to read a parser back; `_actions` and `_mutually_exclusive_groups` are what documentation tools read too.
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click
from click.core import ParameterSource


def options_of(add: Callable[[Any], argparse.ArgumentParser], *, optional: Mapping[str, str] = MappingProxyType({})) -> Callable[..., Any]:
    """Decorator below `@click.command`: the command takes what the parser of `add` takes, and is given it as `options`.

    `optional` are options that this command can do without, each with what it takes instead.
    """
    parser = add(argparse.ArgumentParser().add_subparsers())
    actions = [action for action in parser._actions if not isinstance(action, argparse._HelpAction)]

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def wrapped(*args: Any, **values: Any) -> Any:
            _check_groups(click.get_current_context(), parser._mutually_exclusive_groups)
            options = argparse.Namespace(**{action.dest: values.pop(action.dest) for action in actions})
            return command(*args, options=options, **values)

        # click reads parameters from the innermost decorator outwards.
        for action in reversed(actions):
            wrapped = _parameter(action, optional.get(action.dest))(wrapped)
        return wrapped

    return decorate


def _parameter(action: argparse.Action, instead: str | None) -> Callable[..., Any]:
    """The click decorator that takes the same words."""
    text = _sentence((action.help or "") % vars(action)) + (f"  [{instead}]" if instead else "")
    required = action.required and instead is None
    if not action.option_strings:
        return click.argument(action.dest, type=_type(action), required=required, metavar=_argument_name(action), help=text)
    if isinstance(action, argparse._StoreTrueAction):
        return click.option(*action.option_strings, action.dest, is_flag=True, help=text)
    return click.option(
        *action.option_strings,
        action.dest,
        type=_type(action),
        required=required,
        metavar=action.metavar,
        help=text,
        # To click a default of None is a value, which a required option would be content with.
        **({} if action.default is None else {"default": action.default}),
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def _type(action: argparse.Action) -> click.types.ParamType | type:
    if action.choices is not None:
        return click.Choice(list(action.choices))
    return click.Path(path_type=Path) if action.type is Path else action.type or str


def _argument_name(action: argparse.Action) -> str:
    return f"[{action.metavar}]" if action.nargs == "?" else str(action.metavar)


def _check_groups(context: click.Context, groups: Iterable[argparse._MutuallyExclusiveGroup]) -> None:
    """At most one of a group, and one of it where it is required; raises UsageError."""
    for group in groups:
        names = {action.dest: "/".join(action.option_strings) or str(action.metavar) for action in group._group_actions}
        given = [name for dest, name in names.items() if context.get_parameter_source(dest) is ParameterSource.COMMANDLINE]
        if len(given) > 1:
            raise click.UsageError(f"{' and '.join(given)} exclude each other", context)
        if group.required and not given:
            raise click.UsageError(f"one of {', '.join(names.values())} is required", context)
