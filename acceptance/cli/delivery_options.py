"""`--rate`, `--pitch` and the other options that say how a voice is to sound, of every command that speaks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from trainer.synthesis.delivery import BOUNDS, SAMPLE_RATES, Delivery

_MEANINGS = {
    "rate": "Above 1 is faster",
    "pitch": "Semitones",
    "pause": "Factor on pauses",
    "liveliness": "Factor on the melody, 0 is monotone",
}


def delivery_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: the options that say how the text is to sound, given as `how`; without a sample rate it is the voice's own."""
    command = click.option("--sample-rate", type=click.Choice(SAMPLE_RATES), help="Hz  [the voice's own].")(command)
    command = click.option(
        "--seed", type=int, default=0, show_default=True, help="Of the noise in the voice: equal seeds, equal bytes."
    )(command)
    for name, meaning in reversed(_MEANINGS.items()):
        low, high = BOUNDS[name]
        default = getattr(Delivery(), name)
        text = f"{meaning} ({low:g} to {high:g})."
        command = click.option(f"--{name}", type=float, default=default, show_default=True, help=text)(command)
    return command
