"""The program `voice` (also `python -m acceptance.cli`): its commands, loaded when they are called."""

from __future__ import annotations

import importlib

import click

COMMANDS = {
    "calibrate": "acceptance.cli.calibrate:calibrate",
    "causes": "acceptance.cli.reports:causes",
    "compare": "acceptance.cli.compare:compare",
    "evaluate": "acceptance.cli.evaluate:evaluate",
    "manifest": "acceptance.cli.manifest:manifest",
    "prepare": "acceptance.cli.trainer_commands:prepare",
    "report": "acceptance.cli.reports:report",
    "say": "acceptance.cli.trainer_commands:say",
    "scorecard": "acceptance.cli.scorecard:scorecard",
    "thresholds": "acceptance.cli.thresholds:thresholds",
}
"""`module:attribute` by name. A module is imported when its command is called: completion and --version do not wait for torch."""


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command is needed."""

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        place = COMMANDS.get(name)
        if place is None:
            return None
        module, attribute = place.split(":")
        return getattr(importlib.import_module(module), attribute)


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="voice-acceptance", prog_name="voice")
def voice() -> None:
    """Judge voices: policy, datasets, scores, versions.

    The pipeline itself is `pytest acceptance`. Every command takes --json, and ends with 0 for yes, 1 for no, and 2 where it
    could not answer.

    Completion in bash: eval "$(_VOICE_COMPLETE=bash_source voice)" (also zsh_source, fish_source).
    """


def main() -> None:
    """Entry point of the console script."""
    voice(prog_name="voice")
