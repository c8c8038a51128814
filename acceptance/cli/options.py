"""Options that several commands have, each with its own words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

PATH = click.Path(path_type=Path)
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def workspace_option(holds: str) -> Decorator:
    """`--workspace DIR`, by default the current directory; the help says what the directory `holds`."""
    return click.option(
        "--workspace", type=PATH, default=Path(), metavar="DIR", help=f"Directory of the {holds} [here]."
    )


def count_option(name: str, text: str, *, default: int = 1) -> Decorator:
    """A number of threads, processes or rounds, at least one."""
    return click.option(name, type=click.IntRange(min=1), default=default, show_default=True, help=text)


def file_option(*names: str, text: str, metavar: str = "FILE") -> Decorator:
    """A file, which no folder may be given for."""
    return click.option(*names, type=click.Path(path_type=Path, dir_okay=False), metavar=metavar, help=text)
