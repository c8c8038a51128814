"""The program `voice`: quick to answer, complete, and with help for every command."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from acceptance.cli import reports
from acceptance.cli.main import COMMANDS, run, voice


def every(command: click.Command, *names: str) -> Iterator[tuple[str, click.Command]]:
    """Each command below this one by its whole name, groups too."""
    if names:
        yield " ".join(names), command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from every(command.get_command(context, name), *names, name)


EVERY = dict(every(voice))


@pytest.mark.parametrize("name", EVERY)
def test_every_command_has_help_with_a_short_first_line_and_an_example(name: str) -> None:
    found = CliRunner().invoke(voice, [*name.split(), "--help"])
    assert found.exit_code == 0, found.output
    first, _, described = found.output.partition("Usage:")[2].partition("\n\n  ")[2].partition("\n")
    assert 10 < len(first) <= 60 and first == EVERY[name].get_short_help_str(60), first
    assert re.search(rf"^ +voice {name}( |$)", described, re.MULTILINE), described


@pytest.mark.parametrize("name", EVERY)
def test_every_default_is_a_value_that_its_option_takes(name: str) -> None:
    context = click.Context(EVERY[name])
    for option in EVERY[name].params:
        default = option.get_default(context)
        if isinstance(default, (str, int, float, Path)):
            option.type_cast_value(context, default)


def test_the_help_of_the_program_fits_one_screen() -> None:
    lines = CliRunner().invoke(voice, ["--help"], terminal_width=80).output.splitlines()
    assert 20 < len(lines) <= 40 and max(map(len, lines)) <= 80
    assert not any(line.endswith("...") for line in lines if not line.startswith("Usage")), "a short help is cut"


def test_help_lists_every_command() -> None:
    found = CliRunner().invoke(voice, ["--help"])
    assert all(re.search(rf"\n  (.*, )?{name}[ ,\n]", found.output) for name in COMMANDS)


def test_help_does_not_load_torch() -> None:
    code = "import sys; from acceptance.cli.main import voice; voice(['--help'], standalone_mode=False); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_completion(shell: str) -> None:
    found = CliRunner().invoke(voice, [], env={"_VOICE_COMPLETE": f"{shell}_source"}, prog_name="voice")
    assert found.exit_code == 0 and "_VOICE_COMPLETE" in found.output


@pytest.mark.parametrize(
    ("words", "incomplete", "expected"),
    [
        (["say"], "--out", {"--output", "--output-dir"}),
        (["say", "--format"], "", {"wav", "flac", "raw"}),
        (["say", "--sample-rate"], "2", {"22050", "24000"}),
        (["prepare"], "--no", {"--no-transcripts"}),
        (["pretrain"], "", {"aligner", "natural", "letters", "readers"}),
    ],
)
def test_a_shell_completes_commands_options_and_choices(words: list[str], incomplete: str, expected: set[str]) -> None:
    completion = ShellComplete(voice, {}, "voice", "_VOICE_COMPLETE")
    assert {item.value for item in completion.get_completions(words, incomplete)} == expected


def test_an_option_is_not_guessed_from_its_beginning(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["prepare", "a.flac", "--out", "b"]) == 2
    assert "No such option" in capfd.readouterr().err


@pytest.mark.parametrize(
    "words", [["sing"], ["compare"], ["thresholds", "--bogus"], ["report", "--workspace", "no/such/place"]]
)
def test_what_cannot_be_answered_ends_with_2_and_with_json_says_why_in_an_object(
    words: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    assert run([*words, "--json"]) == 2
    out, err = capfd.readouterr()
    assert set(json.loads(out)) == {"error", "cause"} and err


def test_a_path_that_no_file_system_takes_is_an_answer_and_no_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["manifest", "verify", "x" * 5000, "--json"]) == 2
    out, err = capfd.readouterr()
    assert json.loads(out)["error"] and "Traceback" not in err


def test_a_crash_is_no_answer_and_names_the_exception_and_where_its_traceback_is(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def crash(*_: object, **__: object) -> None:
        raise ZeroDivisionError("division\nby zero")

    monkeypatch.setattr(reports.causes, "callback", crash)
    with monkeypatch.context() as place:
        place.setattr(tempfile, "tempdir", str(tmp_path))
        assert run(["causes", "--json"]) == 2
    out, err = capfd.readouterr()
    (kept,) = tmp_path.iterdir()
    said = f"internal error: ZeroDivisionError: division by zero; its traceback is in {kept}"
    assert json.loads(out) == {"error": said, "cause": "internal_error"}
    assert err == f"error: {said} [internal_error]\n" and "in crash" in kept.read_text()
    with monkeypatch.context() as place:
        place.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
        assert run(["causes"]) == 2
    assert "in crash" in (err := capfd.readouterr().err) and err.endswith(
        "its traceback stands above [internal_error]\n"
    )


def test_a_reader_that_goes_away_ends_the_command_in_silence() -> None:
    command = f"{sys.executable} -m acceptance.cli causes | head -n 1"
    found = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert found.stdout.startswith("| cause") and found.stderr == ""


def test_ctrl_c_is_neither_yes_nor_no() -> None:
    code = "import acceptance.cli.main as m\ndef stop(*_, **__): raise KeyboardInterrupt\nm.voice.main = stop\nm.main()"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (found.returncode, found.stderr) == (130, "error: interrupted\n")


@pytest.mark.parametrize(
    "words", [["calibrate", "--dry-run"], ["evaluate"], ["manifest", "verify"], ["manifest", "sing"]]
)
def test_wrong_usage_with_json_is_one_object_and_one_line_as_every_error(
    words: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    assert run([*words, "--json"]) == 2
    out, err = capfd.readouterr()
    assert json.loads(out)["cause"] == "usage" and err.count("\n") == 1 and err.endswith(" [usage]\n")
    assert run(words) == 2 and "Usage: voice" in capfd.readouterr().err
