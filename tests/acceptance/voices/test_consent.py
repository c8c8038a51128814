"""A consent record allows what it says, and nothing when it is missing, ended or half filled in."""

from __future__ import annotations

import datetime
import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from acceptance.cli.main import voice
from acceptance.failure import HarnessError
from acceptance.voices import consent
from trainer.files import checkpoint

TODAY = datetime.date(2026, 11, 28)
RECORD = """
[speaker]
name = "Dottie"
consent = 2026-01-01
expires = 2027-01-01
scope = ["train", "produce"]
[recording]
licence = "CC-BY-4.0"
[weights]
licence = "Apache-2.0"
"""


def write(folder: Path, text: str = RECORD) -> Path:
    path = folder / consent.NAME
    path.write_text(text, encoding="utf-8")
    return path


def test_a_record_that_covers_the_purpose_allows_it(tmp_path: Path) -> None:
    found = consent.read(write(tmp_path))
    assert (found.speaker, found.scope, found.problem("produce", TODAY)) == ("Dottie", ("train", "produce"), None)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("2027-01-01", "2026-11-27", "the consent of Dottie ended on 2026-11-27"),
        ("2026-01-01", "2026-12-24", "the consent of Dottie begins on 2026-12-24"),
        ('"train", "produce"', '"train"', "Dottie allows train, not produce"),
        ('"train", "produce"', "", "Dottie allows nothing, not produce"),
    ],
)
def test_an_ended_or_narrower_consent_allows_nothing_and_says_why(
    tmp_path: Path, old: str, new: str, problem: str
) -> None:
    found = consent.read(write(tmp_path, RECORD.replace(old, new)))
    assert found.problem("produce", TODAY) == problem
    with pytest.raises(HarnessError, match="ask the speaker") as refused:
        consent.require(found, "produce", TODAY)
    assert refused.value.cause == "consent_refused"


def test_the_last_day_still_counts(tmp_path: Path) -> None:
    assert consent.read(write(tmp_path)).problem("produce", datetime.date(2027, 1, 1)) is None


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('"Dottie"', '""', "speaker.name"),
        ('"Dottie"', "7", "speaker.name"),
        ('"Dottie"', '"Do\\nttie"', "speaker.name"),
        ("consent = 2026-01-01", "", "speaker.consent"),
        ("2026-01-01", '"yesterday"', "speaker.consent"),
        ('["train", "produce"]', '["sell"]', "speaker.scope"),
        ('licence = "CC-BY-4.0"', "", "recording.licence"),
        ('licence = "Apache-2.0"', 'license = "Apache-2.0"', "license"),
        ("[speaker]", "[speaker", "not TOML"),
        ("[weights]", "[wights]", "wights"),
        ("[speaker]", "a = " + "[" * 60_000, "not TOML"),
        ("[speaker]", "a = " + "9" * 6_000, "not TOML"),
    ],
)
def test_a_record_with_a_wrong_or_missing_key_is_refused_by_name(
    tmp_path: Path, old: str, new: str, named: str
) -> None:
    path = write(tmp_path, RECORD.replace(old, new))
    with pytest.raises(HarnessError) as refused:
        consent.read(path)
    assert str(path) in str(refused.value) and named in str(refused.value)
    assert refused.value.cause == "consent_invalid"


def test_the_named_record_counts_before_the_one_beside_the_recording_and_that_before_the_workspaces(
    tmp_path: Path,
) -> None:
    folders = [tmp_path / name for name in ("given", "beside", "workspace")]
    for folder in folders:
        folder.mkdir()
        write(folder, RECORD.replace("Dottie", folder.name))
    given, beside, workspace = folders
    assert consent.find(given / consent.NAME, (beside, workspace)).speaker == "given"
    assert consent.find(None, (beside, workspace)).speaker == "beside"
    assert consent.find(None, (tmp_path, workspace)).speaker == "workspace"


def test_a_missing_record_says_where_it_was_looked_for_and_how_to_write_one(tmp_path: Path) -> None:
    with pytest.raises(HarnessError) as refused:
        consent.find(None, (tmp_path / "a", tmp_path / "b"))
    said = str(refused.value)
    assert refused.value.cause == "consent_missing"
    assert f"{tmp_path}/a/voice.toml nor {tmp_path}/b/voice.toml" in said and "voice consent init" in said


def test_the_template_has_to_be_filled_in_before_it_counts(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match=r"speaker\.name is not filled in"):
        consent.read(write(tmp_path, consent.template(consent=TODAY)))
    filled = consent.template(
        name='A "B" \\ C', consent=TODAY, scope=consent.SCOPES, recording="CC0-1.0", weights="MIT"
    )
    found = consent.read(write(tmp_path, filled))
    assert (found.speaker, found.scope, found.expires) == ('A "B" \\ C', consent.SCOPES, None)


def test_the_commands_write_a_template_once_and_show_a_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()
    assert runner.invoke(voice, ["consent", "init"]).exit_code == 0
    before = Path(consent.NAME).read_bytes()
    assert b'[weights]\nlicence = "Apache-2.0"' in before, "that of the default base"
    again = runner.invoke(voice, ["consent", "init"])
    assert again.exit_code == 2 and Path(consent.NAME).read_bytes() == before
    assert runner.invoke(voice, ["consent", "show"]).exit_code == 2
    write(tmp_path, RECORD.replace("expires = 2027-01-01", ""))
    shown = runner.invoke(voice, ["consent", "show", "--json"])
    assert (shown.exit_code, json.loads(shown.stdout)["speaker"]) == (0, "Dottie")
    write(tmp_path, RECORD.replace("2027-01-01", "2026-02-01"))
    assert runner.invoke(voice, ["consent", "show"]).exit_code == 1


@pytest.mark.parametrize(
    ("carried", "filled"),
    [({"spdx": 'X"-1.0\n', "promotable": True}, 'X"-1.0'), ("MIT", "MIT"), (None, None)],
)
def test_the_licence_that_a_voice_carries_is_filled_in(tmp_path: Path, carried: object, filled: str | None) -> None:
    voice_file = tmp_path / "voice.pt"
    checkpoint.save(voice_file, {"format": "any"} if carried is None else {"licence": carried})
    made = CliRunner().invoke(voice, ["consent", "init", str(tmp_path / consent.NAME), "--checkpoint", str(voice_file)])
    assert made.exit_code == 0, made.output
    document = tomllib.loads((tmp_path / consent.NAME).read_text())
    assert document["weights"]["licence"] == (filled or "")


@pytest.mark.long
def test_the_demonstration_brings_its_own_record_and_keeps_one_that_is_there(tmp_path: Path) -> None:
    runner = CliRunner()
    made = runner.invoke(voice, ["demo-recording", str(tmp_path / "demo.flac"), "--json"])
    path = tmp_path / consent.NAME
    assert made.exit_code == 0 and json.loads(made.stdout)["consent"] == str(path)
    assert consent.read(path).problem("produce", TODAY) is None
    write(tmp_path)
    assert runner.invoke(voice, ["demo-recording", str(tmp_path / "demo.flac")]).exit_code == 0
    assert consent.read(path).speaker == "Dottie"
