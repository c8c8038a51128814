"""Options that several commands have, each with its own words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from trainer.preparation.recognisers.choice import NAMES, POCKETSPHINX, WHISPER, RecogniserChoice
from trainer.synthesis.delivery import LARGEST_SEED

PATH = click.Path(path_type=Path)
MOST_THREADS = 1024
"""Of threads and of processes: with some ten thousand, torch dies of a segmentation fault."""
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def workspace_option(holds: str) -> Decorator:
    """`--workspace DIR`, by default the current directory; the help says what the directory `holds`."""
    return click.option(
        "--workspace", type=PATH, default=Path(), metavar="DIR", help=f"Directory of the {holds} [here]."
    )


def recogniser_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--recogniser` and its weights; the command gets both as they were given, None where they were not."""
    command = click.option(
        "--recogniser-weights", type=PATH, metavar="DIR", help="Whisper's weights in CTranslate2's form  [the set's]."
    )(command)
    return click.option("--recogniser", type=click.Choice(NAMES), help="What hears the words  [pocketsphinx].")(command)


def chosen_recogniser(name: str | None, weights: Path | None, default: str = POCKETSPHINX) -> RecogniserChoice:
    """The recogniser of both options; weights alone are whisper's. Raises RuntimeSetupError(settings_invalid)."""
    named = name or (WHISPER if weights else default)
    return RecogniserChoice(name=named, weights=str(weights) if weights else "")


def count_option(name: str, text: str, *, default: int = 1, most: int | None = None) -> Decorator:
    """A number of threads, processes or rounds, at least one."""
    return click.option(name, type=click.IntRange(1, most), default=default, show_default=True, help=text)


def seed_option(text: str) -> Decorator:
    """`--seed`, as large as torch takes it."""
    return click.option("--seed", type=click.IntRange(0, LARGEST_SEED), default=0, show_default=True, help=text)


def file_option(*names: str, text: str, metavar: str = "FILE") -> Decorator:
    """A file, which no folder may be given for."""
    return click.option(*names, type=click.Path(path_type=Path, dir_okay=False), metavar=metavar, help=text)
