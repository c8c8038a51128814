"""`voice manifest`: three commands, one answer each, in the exit status too."""

from __future__ import annotations

import json
import os
import pty
import shlex
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from acceptance.cli.main import voice
from tests.acceptance.manifests.clips import flip, tone, with_sidecars, with_table

LJ = Path(__file__).parents[4] / "shared" / "voices" / "lj"


def manifest(*arguments: object) -> Result:
    found = CliRunner().invoke(voice, ["manifest", *map(str, arguments)])
    assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return with_sidecars(tmp_path / "a")


@pytest.fixture
def edited(folder: Path, tmp_path: Path) -> Path:
    """The folder again, with one clip of each change."""
    other = with_sidecars(tmp_path / "b")
    flip(other / "a.flac")
    (other / "b.txt").write_text("Two | blue cats.")
    tone(other / "c.flac", 2, rate=8_000)
    tone(other / "e.flac", 9)
    return other


def test_create_says_what_is_in_the_folder(folder: Path) -> None:
    found = manifest("create", folder)
    assert found.exit_code == 0
    assert 'identical transcript "One red car.": a, d' in " ".join(found.output.split())
    assert (folder / "clip_manifest.json").is_file()


def test_create_in_json_names_the_manifest_and_its_hash(folder: Path, tmp_path: Path) -> None:
    found = json.loads(manifest("create", folder, "--output", tmp_path / "m.json", "--json", "--threads", 2).output)
    assert found["path"] == str(tmp_path / "m.json") and len(found["sha256"]) == 64 and found["summary"]["items"] == 4


def test_compare_names_every_change_in_text(folder: Path, edited: Path) -> None:
    found = manifest("compare", folder, edited)
    assert found.exit_code == 0
    kinds = [line.split("  ")[0] for line in found.output.splitlines()[1:]]
    assert kinds == ["added", "format changed", "audio changed", "transcript changed"]
    assert '"Two blue cars." -> "Two | blue cats."' in found.output


def test_compare_in_markdown_is_a_table(folder: Path, edited: Path) -> None:
    lines = manifest("compare", folder, edited, "--markdown").output.splitlines()
    rows = [line for line in lines if line.startswith("| ")]
    assert len(rows) == 5 and all(row.replace(r"\|", "").count("|") == 4 for row in rows)


def test_compare_in_json_holds_both_sides(folder: Path, edited: Path) -> None:
    found = json.loads(manifest("compare", folder, edited, "--json").output)
    assert found["counts"] == {
        "added": 1, "removed": 0, "moved": 0, "format_changed": 1, "audio_changed": 1, "transcript_changed": 1, "split_changed": 0
    }  # fmt: skip
    assert found["unchanged"] == 1 and found["before"]["items"] == 4 and found["after"]["items"] == 5


@pytest.mark.parametrize(("same", "asked", "status"), [(True, True, 0), (False, True, 1), (False, False, 0)])
def test_compare_ends_with_1_on_difference_only_when_asked(
    folder: Path, edited: Path, same: bool, asked: bool, status: int
) -> None:
    manifest("create", folder)
    found = manifest(
        "compare", folder / "clip_manifest.json", folder if same else edited, *(["--exit-code"] if asked else [])
    )
    assert found.exit_code == status


def test_markdown_and_json_exclude_each_other(folder: Path) -> None:
    assert manifest("compare", folder, folder, "--markdown", "--json").exit_code == 2


def test_verify_ends_with_1_and_names_the_file(folder: Path) -> None:
    manifest("create", folder)
    assert manifest("verify", folder).exit_code == 0
    flip(folder / "b.flac")
    found = manifest("verify", folder)
    assert found.exit_code == 1 and "audio changed       b.flac" in found.output
    document = json.loads(manifest("verify", folder, "--json").output)
    assert [fault["path"] for fault in document["faults"]] == ["b.flac"] and not document["intact"]


def test_verify_of_another_folder(folder: Path, edited: Path, tmp_path: Path) -> None:
    manifest("create", folder, "--output", tmp_path / "m.json")
    assert manifest("verify", tmp_path / "m.json", "--root", folder).exit_code == 0
    assert manifest("verify", tmp_path / "m.json", "--root", edited).exit_code == 1


def test_verify_finds_the_manifest_of_a_recording(folder: Path) -> None:
    manifest("create", folder / "a.flac")
    assert manifest("verify", folder / "a.flac").exit_code == 0


@pytest.mark.parametrize("arguments", [["create"], ["verify"], ["compare", "{folder}"], ["verify", "{folder}"]])
def test_what_is_not_there_gives_no_answer(folder: Path, arguments: list[str]) -> None:
    filled = [argument.format(folder=folder) for argument in arguments]
    missing = [] if filled == ["verify", str(folder)] else [folder / "nothing"]
    found = manifest(*filled, *missing)
    assert found.exit_code == 2 and found.stderr.startswith("error: ") and "Traceback" not in found.output


def test_a_failure_in_json_is_an_object(folder: Path) -> None:
    (folder / "z.wav").write_bytes(b"")
    found = manifest("create", folder, "--json")
    assert found.exit_code == 2 and json.loads(found.stdout)["cause"] == "audio_undecodable"


def test_a_terminal_gets_a_bar_and_stdout_only_the_answer(folder: Path) -> None:
    screen, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 80))
    command = [sys.executable, "-m", "acceptance.cli", "manifest", "create", str(folder)]
    found = subprocess.run(command, stdout=subprocess.PIPE, stderr=terminal, check=True, text=True)
    os.set_blocking(screen, False)
    assert "hashing" in os.read(screen, 4096).decode()
    os.close(terminal)
    os.close(screen)
    assert "hashing" not in found.stdout and "sha256" in found.stdout


def test_a_real_voice_has_a_manifest(tmp_path: Path) -> None:
    if not LJ.is_dir():
        pytest.skip("no ../shared/voices/lj beside the project")
    found = json.loads(manifest("create", LJ, "--output", tmp_path / "lj.json", "--json").output)
    assert (found["layout"], found["summary"]["items"], found["unlisted"]) == ("table", 32, ["lj_recording.flac"])
    assert manifest("verify", tmp_path / "lj.json", "--root", LJ).exit_code == 0


def test_create_replaces_a_manifest_and_no_other_file(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "evaluation.json"
    path.write_text('{\n  "schema": "voice_evaluation/1"\n}\n')
    found = manifest("create", folder, "-o", path)
    assert found.exit_code == 2 and "[output_exists]" in found.stderr and "voice_evaluation/1" in path.read_text()
    for more in (["--overwrite"], []):
        assert manifest("create", folder, "-o", path, *more).exit_code == 0
    assert json.loads(path.read_bytes())["schema"] == "clip_manifest/1"


def test_create_does_not_replace_the_text_of_a_clip(folder: Path) -> None:
    before = (folder / "a.txt").read_bytes()
    assert manifest("create", folder, "-o", folder / "a.txt", "--overwrite").exit_code == 2
    assert (folder / "a.txt").read_bytes() == before


def test_verify_says_in_one_line_where_it_looked_for_clips_that_lie_elsewhere(folder: Path, tmp_path: Path) -> None:
    manifest("create", folder, "-o", tmp_path / "v1.json")
    found = manifest("verify", tmp_path / "v1.json")
    assert found.exit_code == 2 and found.stderr.count("\n") == 1
    assert f"4 of its 4 clips are not under {tmp_path}; " in found.stderr and f"--root {folder}" in found.stderr
    assert manifest("verify", tmp_path / "v1.json", "--root", folder).exit_code == 0


@pytest.mark.parametrize(("content", "words"), [(b"{}", "it names no schema"), (b"", "empty, not JSON"), (b"\xff", "not UTF-8 text"),
                                                (b"# Notes", "not JSON (line 1, column 1)")])  # fmt: skip
def test_what_is_no_manifest_is_called_so_in_plain_words(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "m.json"
    path.write_bytes(content)
    found = manifest("verify", path)
    assert (
        found.exit_code == 2
        and f"{path}: " in found.stderr
        and words in found.stderr
        and "voice manifest create" in found.stderr
    )
    assert "None" not in found.stderr and "codec" not in found.stderr and "Expecting" not in found.stderr


def test_a_listed_clip_that_is_gone_is_removed_and_named(tmp_path: Path) -> None:
    folder = with_table(tmp_path / "a")
    manifest("create", folder)
    (folder / "clips" / "b.flac").unlink()
    found = manifest("compare", folder / "clip_manifest.json", folder, "--exit-code")
    assert found.exit_code == 1 and "removed             b  clips/b.flac" in found.stdout
    assert f"notice: {folder} lists clips that are not there: b" in found.stderr
    assert manifest("create", folder).exit_code == 2


def test_verify_names_the_command_for_the_folder_in_which_the_clips_lie(tmp_path: Path) -> None:
    folder = with_sidecars(tmp_path / "my voices" / "dottie")
    manifest("create", folder, "-o", tmp_path / "v1.json")
    found = manifest("verify", tmp_path / "v1.json")
    command = found.stderr.partition(f"they lie in {folder}: voice ")[2].partition(" [")[0]
    assert found.exit_code == 2 and command == f"manifest verify {tmp_path}/v1.json --root '{folder}'"
    assert CliRunner().invoke(voice, shlex.split(command)).exit_code == 0
