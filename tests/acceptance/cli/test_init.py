"""`voice init`: a neutral objective that loads, after a look at the recording; never over a file, never for what cannot be trained on."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result

from acceptance import objective
from acceptance.cli.main import voice

RATE = 8_000


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "workspace"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


def record(path: Path, seconds: float = 30.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(
        path, (0.1 * np.random.default_rng(0).standard_normal(round(seconds * RATE))).astype("float32"), RATE
    )
    return path


def init(*words: object) -> Result:
    return CliRunner().invoke(voice, ["init", *map(str, words)])


def test_the_objective_is_named_after_the_file_and_has_nothing_of_another_job(workspace: Path) -> None:
    record(workspace / "my_voice.flac")
    found = init("my_voice.flac")
    assert found.exit_code == 0, found.output
    made = objective.load("my_voice.toml", environ={})
    objective.check_folders(made, workspace)
    assert (made.name, made.audio) == ("my_voice", "my_voice.flac")
    assert made.checkpoint == "trained/my_voice/checkpoint/my_voice.pt"
    text = (workspace / "my_voice.toml").read_text()
    assert not [word for word in ("auntie", "dottie", "musicgen", "audiocraft", "casimir") if word in text]
    assert "my_voice.flac: 30.0 s, 8000 Hz, 1 channel(s)" in found.output and "--objective=" in found.output
    size = (workspace / "my_voice.flac").stat().st_size
    assert made.min_audio_bytes == size // 2


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("takes/Señora Übel (2).wav", "senora_ubel_2"),
        ("MY VOICE.WAV", "my_voice"),
        ("day.one.ogg", "day_one"),
        ("x" * 60 + ".flac", "x" * 40),
    ],
)
def test_a_name_is_made_of_any_file(workspace: Path, path: str, name: str) -> None:
    record(workspace / path)
    found = init(path, "--json")
    assert found.exit_code == 0, found.output
    document = json.loads(found.stdout)
    assert (document["name"], document["audio"], document["path"]) == (name, path, f"{name}.toml")
    assert objective.load(f"{name}.toml", environ={}).audio == path


def test_an_absolute_path_into_the_workspace_is_written_relative_to_it(workspace: Path) -> None:
    record(workspace / "in/me.flac")
    assert init(workspace / "in/me.flac", "--name", "grandma").exit_code == 0
    assert objective.load("grandma.toml", environ={}).audio == "in/me.flac"


def test_a_file_that_exists_is_never_replaced(workspace: Path) -> None:
    record(workspace / "me.flac")
    (workspace / "me.toml").write_text("mine")
    found = init("me.flac")
    assert (
        found.exit_code == 2 and "[output_exists]" in found.output and "voice init me.flac --name me_2" in found.output
    )
    assert (workspace / "me.toml").read_text() == "mine"


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"4d7a" * 16 + b"\nsize 73741823\n"


@pytest.mark.parametrize(
    ("make", "cause"),
    [
        (lambda path: None, "audio_missing"),
        (lambda path: path.write_bytes(b"no audio at all"), "audio_undecodable"),
        (lambda path: path.write_bytes(b""), "audio_undecodable"),
        (lambda path: path.write_bytes(POINTER), "lfs_pointer"),
        (lambda path: path.mkdir(), "audio_not_regular"),
        (lambda path: os.mkfifo(path), "audio_not_regular"),
        (lambda path: path.symlink_to("/etc/hostname"), "audio_not_regular"),
        (lambda path: record(path, seconds=3.0), "too_little_speech"),
    ],
)
def test_what_cannot_be_trained_on_is_refused_by_its_cause_and_nothing_is_written(
    workspace: Path, make, cause: str
) -> None:
    make(workspace / "me.flac")
    found = init("me.flac", "--json")
    assert found.exit_code == 2
    assert json.loads(found.stdout)["cause"] == cause, found.output
    assert not list(workspace.glob("*.toml"))


def test_a_recording_outside_of_the_workspace_is_refused_with_the_command_that_copies_it(workspace: Path) -> None:
    record(workspace.parent / "me.flac")
    found = init("../me.flac")
    assert found.exit_code == 2 and "cp ../me.flac me.flac && voice init me.flac" in found.output


def test_a_command_in_a_message_can_be_pasted_whatever_the_file_is_called(workspace: Path) -> None:
    record(workspace.parent / "my voice; x.flac")
    assert (
        "cp '../my voice; x.flac' 'my voice; x.flac' && voice init 'my voice; x.flac'"
        in init("../my voice; x.flac").output
    )
    record(workspace / "me 2.flac")
    init("me 2.flac")
    assert "voice init 'me 2.flac' --name me_2_2" in init("me 2.flac").output


@pytest.mark.parametrize("name", ["", "../up", "My Voice", "demo", "-x", "a/b"])
def test_a_name_that_no_objective_can_have_is_refused(workspace: Path, name: str) -> None:
    record(workspace / "me.flac")
    found = init("me.flac", f"--name={name}")
    assert found.exit_code == 2 and "[settings_invalid]" in found.output and not list(workspace.glob("**/*.toml"))


def test_a_file_without_a_letter_in_its_name_needs_one(workspace: Path) -> None:
    record(workspace / "声.flac")
    assert "no name can be made of '声.flac'" in init("声.flac").output
    assert init("声.flac", "--name", "koe").exit_code == 0
