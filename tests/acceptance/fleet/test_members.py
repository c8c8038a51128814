"""Who takes part in a fleet; a folder that cannot be one is refused by name before anything starts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from acceptance.cli.fleet import fleet
from acceptance.failure import HarnessError
from acceptance.fleet.fleet import DOCUMENT
from acceptance.fleet.member_workspace import MemberWorkspace
from acceptance.fleet.members import find
from acceptance.fleet.session_options import SessionOptions
from tests.acceptance.fleet import folders

OPTIONS = SessionOptions()


def found(folder: Path) -> list[str]:
    return [member.name for member in find(folder, OPTIONS)]


def test_objectives_and_the_recordings_that_none_of_them_names_take_part(kit: Path, tmp_path: Path) -> None:
    folders.add(tmp_path, "amy", kit)
    (tmp_path / "grandma.toml").write_text((tmp_path / "amy.toml").read_text().replace("amy", "grandma"))
    named = (tmp_path / "grandma.toml").read_text().replace("data/grandma.wav", "Grandma 1.WAV")
    (tmp_path / "grandma.toml").write_text(named)
    for name in ("Grandma 1.WAV", "Señora Übel (2).flac", "notes.txt", ".hidden.wav"):
        (tmp_path / name).write_bytes(b"RIFF")
    assert found(tmp_path) == ["amy", "grandma", "senora_ubel_2"]


def test_a_fleet_without_an_account_says_so_to_every_session_and_in_the_command_that_goes_on(
    kit: Path, tmp_path: Path
) -> None:
    assert "--no-cost" in SessionOptions(no_cost=True).arguments(tmp_path)
    assert "--no-cost" not in OPTIONS.arguments(tmp_path)
    folders.add(tmp_path, "amy", kit)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / DOCUMENT).write_text("{}")
    refused = CliRunner().invoke(fleet, [str(tmp_path), "--output", str(tmp_path / "out"), "--no-cost"])
    assert refused.exit_code == 2 and "--resume --no-cost" in refused.stderr


def _empty(folder: Path, kit: Path) -> None:
    (folder / "readme.txt").write_text("nothing here")


def _same_name(folder: Path, kit: Path) -> None:
    folders.add(folder, "amy", kit)
    (folder / "second.toml").write_text('name = "AMY"\n' + folders.add(folder, "bob", kit).read_text())
    (folder / "bob.toml").unlink()


def _same_name_of_recordings(folder: Path, kit: Path) -> None:
    for name in ("Day 1.wav", "day_1.flac"):
        (folder / name).write_bytes(b"RIFF")


def _same_output(folder: Path, kit: Path) -> None:
    text = folders.add(folder, "amy", kit).read_text()
    (folder / "bob.toml").write_text(text.replace("data/amy.wav", "data/bob.wav"))


def _no_toml(folder: Path, kit: Path) -> None:
    folders.add(folder, "amy", kit)
    (folder / "broken.toml").write_text("name = [")


def _no_objective(folder: Path, kit: Path) -> None:
    folders.add(folder, "amy", kit)
    (folder / "pyproject.toml").write_text("[project]\nname = 'x'\n")


def _no_folder_name(folder: Path, kit: Path) -> None:
    (folder / "up.toml").write_text('name = "../up"\n' + folders.add(folder, "amy", kit).read_text())
    (folder / "amy.toml").unlink()


def _no_name(folder: Path, kit: Path) -> None:
    (folder / "🎤.wav").write_bytes(b"RIFF")


def _evidence_as_output(folder: Path, kit: Path) -> None:
    path = folders.add(folder, "amy", kit)
    path.write_text(path.read_text().replace("out/amy/status", "artifacts/runs"))


BAD: dict[str, tuple[Callable[[Path, Path], None], str]] = {
    "empty": (_empty, "no objective (*.toml) and no recording lies in it"),
    "two of one name": (_same_name, "amy.toml and second.toml are both named AMY"),
    "two recordings of one name": (_same_name_of_recordings, "Day 1.wav and day_1.flac are both named day_1"),
    "two with one output": (_same_output, "amy.toml and bob.toml both write out/amy/"),
    "no TOML": (_no_toml, "broken.toml: not valid TOML"),
    "TOML of another kind": (_no_objective, "pyproject.toml: project: no such key"),
    "a name that leads out": (_no_folder_name, "up.toml: name: '../up' cannot be the name of a folder"),
    "a recording without a name": (_no_name, "rename the file with plain letters and digits"),
    "an output over the evidence": (_evidence_as_output, "leads to or above artifacts/runs"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_folder_that_cannot_be_a_fleet_is_refused_and_nothing_is_made(name: str, kit: Path, tmp_path: Path) -> None:
    make, expected = BAD[name]
    folder, output = tmp_path / "folder", tmp_path / "output"
    folder.mkdir()
    make(folder, kit)
    ended = CliRunner().invoke(fleet, [str(folder), "--output", str(output), "--json"])
    answer = json.loads(ended.stdout)
    assert ended.exit_code == 2
    assert expected in answer["error"]
    assert not output.exists()


def test_a_folder_that_is_not_there_and_one_that_is_its_own_output_are_refused(kit: Path, tmp_path: Path) -> None:
    folders.add(tmp_path, "amy", kit)
    for folder, output, expected in (
        (tmp_path / "none", tmp_path / "output", "No such file or directory"),
        (tmp_path, tmp_path / "data/..", "must not be the folder of the fleet"),
    ):
        ended = CliRunner().invoke(fleet, [str(folder), "--output", str(output)])
        assert (ended.exit_code, expected in ended.stderr) == (2, True), ended.stderr


def test_an_override_that_no_objective_takes_is_refused_also_for_recordings(tmp_path: Path) -> None:
    (tmp_path / "amy.wav").write_bytes(b"RIFF")
    ended = CliRunner().invoke(fleet, [str(tmp_path), "--output", str(tmp_path / "output"), "--set", "sead=1"])
    assert ended.exit_code == 2
    assert "--set sead: sead: no such key; did you mean seed?" in ended.stderr


@pytest.fixture
def filled(kit: Path, tmp_path: Path) -> tuple[Path, MemberWorkspace]:
    folder = tmp_path / "folder"
    folders.add(folder, "amy", kit)
    for name in ("amy.txt", "amy.corrections.csv", "amyx.txt"):
        (folder / "data" / name).write_text(name)
    (member,) = find(folder, OPTIONS)
    workspace = MemberWorkspace(member=member, path=tmp_path / "workspace")
    workspace.fill(OPTIONS)
    return folder, workspace


def test_a_workspace_holds_the_recording_without_a_second_copy_and_the_texts_beside_it(
    filled: tuple[Path, MemberWorkspace],
) -> None:
    folder, workspace = filled
    held = sorted(path.relative_to(workspace.path).as_posix() for path in workspace.path.rglob("*") if path.is_file())
    assert held == ["amy.toml", "data/amy.corrections.csv", "data/amy.txt", "data/amy.wav"]
    assert (workspace.path / "data/amy.wav").samefile(folder / "data/amy.wav")


def test_a_workspace_follows_what_changes_in_the_folder(filled: tuple[Path, MemberWorkspace]) -> None:
    folder, workspace = filled
    (folder / "data/amy.txt").unlink()
    (folder / "data/amy.wav").unlink()
    (folder / "data/amy.wav").write_bytes(b"another one")
    workspace.fill(OPTIONS)
    assert not (workspace.path / "data/amy.txt").exists()
    assert (workspace.path / "data/amy.wav").read_bytes() == b"another one"


def test_a_recording_that_is_a_link_out_of_the_folder_stays_a_link(kit: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folders.add(folder, "amy", kit)
    (tmp_path / "secret.wav").write_bytes(b"not in the folder")
    (folder / "data/amy.wav").unlink()
    (folder / "data/amy.wav").symlink_to(tmp_path / "secret.wav")
    (member,) = find(folder, OPTIONS)
    workspace = MemberWorkspace(member=member, path=tmp_path / "workspace")
    workspace.fill(OPTIONS)
    assert (workspace.path / "data/amy.wav").is_symlink()


def test_a_missing_folder_raises_its_cause(tmp_path: Path) -> None:
    with pytest.raises(HarnessError) as error:
        find(tmp_path / "none", OPTIONS)
    assert error.value.cause == "fleet_empty"


@pytest.mark.parametrize("link", ["..", ".", "../.."])
def test_a_folder_of_weights_that_leads_into_itself_is_refused_by_name(kit: Path, tmp_path: Path, link: str) -> None:
    folder = tmp_path / "folder"
    path = folders.add(folder, "amy", kit)
    path.write_text(path.read_text() + 'weights = "models/weights"\n')
    (folder / "models/weights").mkdir(parents=True)
    (folder / "models/weights/loop").symlink_to(link)
    (member,) = find(folder, OPTIONS)
    workspace = MemberWorkspace(member=member, path=folder / "fleet/amy")
    with pytest.raises(HarnessError, match=r"weights/loop leads to .*remove the link") as error:
        workspace.fill(OPTIONS)
    assert error.value.cause == "settings_invalid"
