"""The program `voice`: quick to answer, complete, and with help for every command."""

from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner

from acceptance.cli.main import COMMANDS, voice


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help_with_an_example(name: str) -> None:
    found = CliRunner().invoke(voice, [name, "--help"])
    if name in ("say", "prepare"):
        return  # their help is the trainer's own
    assert found.exit_code == 0, found.output
    assert f"voice {name}" in found.output.partition("Usage:")[2].partition("\n")[2]


def test_help_lists_every_command() -> None:
    found = CliRunner().invoke(voice, ["--help"])
    assert all(f"\n  {name} " in found.output for name in COMMANDS)


def test_help_does_not_load_torch() -> None:
    code = "import sys; from acceptance.cli.main import voice; voice(['--help'], standalone_mode=False); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_completion(shell: str) -> None:
    found = CliRunner().invoke(voice, [], env={"_VOICE_COMPLETE": f"{shell}_source"}, prog_name="voice")
    assert found.exit_code == 0 and "_VOICE_COMPLETE" in found.output


def test_an_unknown_command_is_a_usage_error() -> None:
    found = CliRunner().invoke(voice, ["sing"])
    assert found.exit_code == 2 and "No such command" in found.output
