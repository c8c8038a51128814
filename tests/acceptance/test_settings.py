"""Settings: command line over environment over file over defaults, and errors that name where the value came from."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acceptance.settings import OBJECTIVES, Settings, SettingsError, load, parse_size

MINIMAL = 'audio = "a.wav"\nmanifest = "o/m.json"\nstatus = "o/s.json"\ncheckpoint = "o/c.pt"\n'


@pytest.fixture
def objective(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(MINIMAL + "threads = 3\n[env]\nA = \"file\"\nB = \"file\"\n")
    return path


def refusal(objective: str | Path, *overrides: str, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        load(str(objective), overrides=overrides, environ=environ or {})
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_each_source_overrides_the_one_below(objective: Path) -> None:
    def threads(environ: dict[str, str], *overrides: str) -> int:
        return load(str(objective), overrides=overrides, environ=environ).threads

    assert load(str(objective), environ={}).seed == 0
    assert threads({}) == 3
    assert threads({"VOICE_THREADS": "4"}) == 4
    assert threads({"VOICE_THREADS": "4"}, "threads=5") == 5
    assert threads({}, "threads=5", "threads=6") == 6


def test_tables_are_merged_entry_by_entry(objective: Path) -> None:
    settings = load(str(objective), overrides=["env.C=cli", "env.B=cli"], environ={"VOICE_ENV__B": "environment", "VOICE_ENV__D": "environment"})
    assert settings.env == {"A": "file", "B": "cli", "C": "cli", "D": "environment"}


def test_the_name_of_an_objective_without_one_is_its_files(objective: Path) -> None:
    assert load(str(objective), environ={}).name == "mine"


@given(st.integers(1, 64), st.integers(1, 64), st.integers(1, 64), st.tuples(st.booleans(), st.booleans()))
def test_the_highest_source_that_is_present_wins(file: int, environment: int, option: int, present: tuple[bool, bool]) -> None:
    environ = {"VOICE_THREADS": str(environment)} if present[0] else {}
    overrides = [f"threads={option}"] if present[1] else []
    expected = option if present[1] else environment if present[0] else 2
    assert load("auntie_dottie", overrides=overrides, environ=environ).threads == expected


@pytest.mark.parametrize("name", sorted(path.stem for path in OBJECTIVES.glob("*.toml")))
def test_the_objectives_that_are_delivered_load(name: str) -> None:
    assert load(name, environ={}).name == name


def test_the_default_objective_keeps_its_paths_exactly() -> None:
    settings = load("auntie_dottie", environ={})
    assert settings.audio == "data/knowledge_audio_source/auntie_dottie.flac"
    assert settings.manifest == "external/audiocraft/data/knowledge_audio/voice_dataset_manifest.json"
    assert settings.status == "external/audiocraft/checkpoints/train_status.json"
    assert settings.checkpoint == "checkpoints/tts_voice_train_musicgen_small.pt"
    assert (settings.runtime, settings.min_audio_bytes, settings.mount_point) == ("docker", 5_000_000, "/workspace/casimirbot-")
    assert (settings.image, settings.dockerfile) == ("casimir-voice-train:latest", "docker/voice-train/Dockerfile")


@pytest.mark.parametrize(
    ("overrides", "environ", "expected"),
    [
        (["seed=x"], {}, "--set seed: seed: Input should be a valid integer"),
        ([], {"VOICE_SEED": "x"}, "environment variable VOICE_SEED: seed: Input should be a valid integer"),
        (["sead=1"], {}, "--set sead: sead: Unexpected keyword argument"),
        (["runtime=podman"], {}, "--set runtime: runtime: Input should be 'docker', 'process' or 'auto'"),
        (["env=1"], {}, "--set env: env is a table: set one entry, env.NAME=value"),
        ([], {"VOICE_ENV": "1"}, "environment variable VOICE_ENV: env is a table"),
        (["audio.x=1"], {}, "--set audio.x: audio.x: audio is not a table"),
        (["threads"], {}, "--set 'threads': expected key=value"),
        (["=1"], {}, "--set '=1': expected key=value"),
        (["memory=lots"], {}, "--set memory: memory: must be a number of bytes"),
        (["threads=0"], {}, "--set threads: threads: Input should be greater than 0"),
        (["train_deadline_s=nan"], {}, "--set train_deadline_s: train_deadline_s: Input should be greater than 0"),
        (["command='"], {}, "--set command: No closing quotation"),
    ],
)
def test_an_error_names_origin_key_and_rule(overrides: list[str], environ: dict[str, str], expected: str) -> None:
    assert refusal("auntie_dottie", *overrides, environ=environ).startswith(expected)


def test_an_error_in_the_file_names_the_file(objective: Path) -> None:
    objective.write_text(MINIMAL + 'threads = "many"\n')
    assert refusal(objective).startswith(f"{objective}: threads: ")
    objective.write_text("audio = ")
    assert refusal(objective).startswith(f"{objective}: not valid TOML: ")
    objective.write_bytes(b"\xff")
    assert refusal(objective).startswith(f"{objective}: not valid TOML: ")
    objective.write_text(MINIMAL.replace("audio", "radio"))
    assert f"{objective}: audio: " in refusal(objective)


def test_an_unknown_objective_is_told_the_known_ones() -> None:
    assert refusal("nonsense").endswith("known objectives: auntie_dottie, demo; or give the path of a .toml file")


@given(st.sampled_from(["/etc/passwd", "../x", "a/../../x", "", ".", "a\nb", "a\0b", "a\x1b[31m", "..", "a/.."]))
def test_a_path_that_leads_out_of_the_workspace_or_cannot_be_printed_is_refused(path: str) -> None:
    for key in ("audio", "manifest", "status", "checkpoint", "protected"):
        if key != "protected":
            assert "must be a printable path inside the workspace" in refusal("auntie_dottie", f"{key}={path}")


def test_outputs_that_would_overwrite_each_other_or_the_recording_are_refused() -> None:
    assert refusal("auntie_dottie", "status=a/x.json", "manifest=b/x.json").endswith("need different file names")
    assert refusal("auntie_dottie", "audio=data/voice.pt", "checkpoint=data/voice.pt").endswith("audio must not be one of the outputs")


def test_variables_of_others_are_left_alone() -> None:
    assert load("auntie_dottie", environ={"VOICE_PYTHON": "x", "VOICE_TRAIN_STEPS": "3", "VOICELESS": "1"}) == load("auntie_dottie", environ={})


@given(st.integers(0, 2**20), st.sampled_from(["", "k", "m", "g", "K", "M", "G"]))
def test_sizes_are_powers_of_1024(number: int, unit: str) -> None:
    assert parse_size(f"{number}{unit}") == number * 1024 ** " kmg".index(unit.lower() or " ")


def test_output_directories_are_listed_once_in_order(objective: Path) -> None:
    assert load(str(objective), environ={}).output_dirs() == ("o",)
    assert isinstance(load(str(objective), environ={}), Settings)
