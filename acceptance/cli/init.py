"""`voice init`: an objective for your own recording."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import click

from acceptance.cli import new_objective
from acceptance.cli.new_objective import NewObjective
from acceptance.cli.options import PATH
from acceptance.cli.output import answers, emit
from acceptance.cli.policy_option import policy_option
from acceptance.objective import PROJECT_ROOT
from acceptance.policy import Policy

_WORTHWHILE_S = 120.0
"""Less speech makes a voice, too, but not a good one."""


@click.command()
@click.argument("recording", type=PATH)
@click.option("--name", metavar="NAME", help="Name of the voice  [that of the file].")
@answers
@policy_option
def init(policy: Callable[[], Policy], recording: Path, name: str | None, as_json: bool) -> None:
    """Start here: write NAME.toml for your own recording.

    It is NAME.toml in the current directory, which becomes the workspace. Looks at the recording first, without decoding it: is it there,
    is it audio, how long is it. Never writes over a file. A text of what is said may lie beside it, under the same name with .txt. All
    outputs go to trained/NAME/.

    \b
    voice init my_voice.flac
    voice init recordings/day1.wav --name grandma
    """
    rules = policy()
    made = new_objective.write(Path(), recording, name=name, least_s=rules.audio.min_usable_s)
    command = _command(made)
    emit(
        {"schema": "objective/1", **asdict(made), "path": str(made.path), "next": command},
        _text(made, command),
        as_json=as_json,
    )


def _text(made: NewObjective, command: str) -> str:
    length = f"{made.seconds:.1f} s" if made.seconds else "length unknown"
    lines = [
        f"recording   {made.audio}: {length}, {made.sample_rate} Hz, {made.channels} channel(s)",
        f"objective   {made.path}",
        f"voice       {made.checkpoint} (kept in artifacts/voices, too)",
        f"next        {command}",
    ]
    if 0.0 < made.seconds < _WORTHWHILE_S:
        lines.insert(1, "            short: two to three minutes of one clear voice are enough for a good start")
    return "\n".join(lines)


def _command(made: NewObjective) -> str:
    """What to type next, from the current directory."""
    if Path().resolve() == PROJECT_ROOT:
        return f"pytest acceptance -q --objective={shlex.quote(str(made.path))}"
    here, project = shlex.quote(os.fspath(Path().resolve())), shlex.quote(os.fspath(PROJECT_ROOT))
    return f"cd {project} && pytest acceptance -q --workspace={here} --objective={here}/{shlex.quote(str(made.path))}"
