"""Settings: command line over environment over file over defaults, and errors that name where the value came from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acceptance.objective import (
    OBJECTIVES,
    PROJECT_ROOT,
    Settings,
    SettingsError,
    check_folders,
    load,
    misspelt_variables,
    parse_size,
)
from acceptance.objectives import bounds, output_folders
from acceptance.record import workspace
from acceptance.voices import store

MINIMAL = 'audio = "a.wav"\nmanifest = "o/m.json"\nstatus = "o/s.json"\ncheckpoint = "o/c.pt"\n'


@pytest.fixture
def objective(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(MINIMAL + 'threads = 3\n[env]\nA = "file"\nB = "file"\n')
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
    settings = load(
        str(objective),
        overrides=["env.C=cli", "env.B=cli"],
        environ={"VOICE_ENV__B": "environment", "VOICE_ENV__D": "environment"},
    )
    assert settings.env == {"A": "file", "B": "cli", "C": "cli", "D": "environment"}


def test_the_name_of_an_objective_without_one_is_its_files(objective: Path) -> None:
    assert load(str(objective), environ={}).name == "mine"


@given(st.integers(1, 64), st.integers(1, 64), st.integers(1, 64), st.tuples(st.booleans(), st.booleans()))
def test_the_highest_source_that_is_present_wins(
    file: int, environment: int, option: int, present: tuple[bool, bool]
) -> None:
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
    assert (settings.runtime, settings.min_audio_bytes, settings.mount_point) == (
        "docker",
        5_000_000,
        "/workspace/casimirbot-",
    )
    assert (settings.image, settings.dockerfile) == ("casimir-voice-train:latest", "docker/voice-train/Dockerfile")


@pytest.mark.parametrize(
    ("overrides", "environ", "expected"),
    [
        (["seed=x"], {}, "--set seed: seed: 'x' is not a number from 0"),
        ([], {"VOICE_SEED": "x"}, "environment variable VOICE_SEED: seed: 'x' is not a number from 0"),
        (["sead=1"], {}, "--set sead: sead: no such key; did you mean seed?"),
        (["runtime=podman"], {}, "--set runtime: runtime: Input should be 'docker', 'process' or 'auto'"),
        (["env=1"], {}, "--set env: env is a table: set one entry, env.NAME=value"),
        ([], {"VOICE_ENV": "1"}, "environment variable VOICE_ENV: env is a table"),
        (["audio.x=1"], {}, "--set audio.x: audio.x: audio is not a table"),
        (["threads"], {}, "--set 'threads': expected key=value"),
        (["=1"], {}, "--set '=1': expected key=value"),
        (["memory=lots"], {}, "--set memory: memory: 'lots' is not a number of bytes"),
        (["threads=0"], {}, "--set threads: threads: '0' is not a number from 1 to 256"),
        (
            ["train_deadline_s=nan"],
            {},
            "--set train_deadline_s: train_deadline_s: 'nan' is not a number above 0 to 2,592,000",
        ),
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
    assert refusal("auntie_dottie", "audio=data/voice.pt", "checkpoint=data/voice.pt").endswith(
        "audio must not be one of the outputs"
    )


def test_variables_of_others_are_left_alone() -> None:
    assert load("auntie_dottie", environ={"VOICE_PYTHON": "x", "VOICE_TRAIN_STEPS": "3", "VOICELESS": "1"}) == load(
        "auntie_dottie", environ={}
    )


@given(st.integers(0, 2**20), st.sampled_from(["", "k", "m", "g", "K", "M", "G"]))
def test_sizes_are_powers_of_1024(number: int, unit: str) -> None:
    assert parse_size(f"{number}{unit}") == number * 1024 ** " kmg".index(unit.lower() or " ")


def test_output_directories_are_listed_once_in_order(objective: Path) -> None:
    assert load(str(objective), environ={}).output_dirs() == ("o",)
    assert isinstance(load(str(objective), environ={}), Settings)


def folder_refusal(workspace: Path, *overrides: str) -> str:
    with pytest.raises(SettingsError) as caught:
        check_folders(load("auntie_dottie", overrides=overrides, environ={}), workspace)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("override", "reason"),
    [
        ("status=train_status.json", "leads to or above the workspace itself"),
        ("checkpoint=artifacts/voice.pt", "leads to or above artifacts/runs"),
        ("checkpoint=artifacts/runs/old/voice.pt", "leads into artifacts/runs"),
        ("checkpoint=artifacts/latest/voice.pt", "leads to or above artifacts/latest"),
        ("manifest=acceptance/x.json", "leads to or above acceptance"),
        ("manifest=./acceptance/runtimes/x.json", "leads into acceptance"),
        ("manifest=docker/x.json", "leads to or above docker/voice-train"),
        ("status=.git/train_status.json", "leads to or above .git"),
        ("status=external/audiocraft/.git/x/train_status.json", "leads into .git"),
        ("checkpoint=data/knowledge_audio_source/voice.pt", "leads to or above the recording"),
        ("manifest=data/x.json", "leads to or above the recording"),
    ],
)
def test_an_output_folder_that_is_not_the_jobs_own_is_refused_with_its_file_and_a_way_out(
    tmp_path: Path, override: str, reason: str
) -> None:
    key, _, path = override.partition("=")
    folder, _, name = path.removeprefix("./").rpartition("/")
    way_out = f"give it a folder of its own: --set {key}=outputs/{name}"
    told = f"{path.removeprefix('./')}: its folder {folder or '.'} {reason}, and the job may rewrite all that lies there; {way_out}"
    assert folder_refusal(tmp_path, override) == f"{key}: {told}"
    check_folders(load("auntie_dottie", overrides=[f"{key}=outputs/{name}"], environ={}), tmp_path)


def test_what_counts_as_evidence_is_where_the_runs_and_the_kept_voices_are() -> None:
    assert (str(workspace.RUNS), str(workspace.LATEST), str(store.VOICES)) == output_folders.EVIDENCE


def test_a_manifest_may_lie_beside_the_recording(tmp_path: Path) -> None:
    check_folders(
        load("auntie_dottie", overrides=["manifest=data/knowledge_audio_source/m.json"], environ={}), tmp_path
    )


NOWHERE = Path("/nonexistent/workspace")
_FOLDERS = st.lists(st.sampled_from(["a", "b", "ab", "a.b"]), min_size=1, max_size=4).map("/".join)


@given(_FOLDERS, _FOLDERS, st.sampled_from(["manifest", "status", "checkpoint"]))
def test_an_output_folder_is_refused_exactly_when_it_overlaps_a_protected_path(
    folder: str, protected: str, key: str
) -> None:
    overlaps = f"{folder}/".startswith(f"{protected}/") or f"{protected}/".startswith(f"{folder}/")
    overrides = [f"{key}={folder}/x.out", f"protected={protected}"]
    if overlaps:
        assert f" {protected}, and the job may rewrite" in folder_refusal(NOWHERE, *overrides)
    else:
        check_folders(load("auntie_dottie", overrides=overrides, environ={}), NOWHERE)


@given(
    _FOLDERS,
    st.sampled_from(["artifacts/runs", "artifacts/latest", ".git"]),
    st.sampled_from(["manifest", "status", "checkpoint"]),
)
def test_no_folder_of_evidence_or_of_git_is_written_by_a_job(below: str, place: str, key: str) -> None:
    for folder in (f"{place}/{below}", place, *([place.rpartition("/")[0]] if "/" in place else [])):
        folder_refusal(NOWHERE, f"{key}={folder}/x.out")
    check_folders(load("auntie_dottie", overrides=[f"{key}={place}-{below}/x.out"], environ={}), NOWHERE)


@pytest.mark.parametrize(
    ("target", "place"),
    [
        ("artifacts/runs", "artifacts/runs"),
        ("artifacts", "artifacts/runs"),
        (".git/hooks", ".git"),
        (".", "the workspace itself"),
        ("..", ""),
    ],
)
def test_a_link_to_what_the_job_must_not_rewrite_is_refused(tmp_path: Path, target: str, place: str) -> None:
    (tmp_path / "ws/.git/hooks").mkdir(parents=True)
    (tmp_path / "ws/artifacts/runs").mkdir(parents=True)
    (tmp_path / "ws/checkpoints").symlink_to(tmp_path / "ws" / target)
    with pytest.raises(
        SettingsError, match=r"^checkpoint: checkpoints/.*: its folder checkpoints leads \w+.* " + place
    ):
        check_folders(load("auntie_dottie", environ={}), tmp_path / "ws")


def test_a_protected_link_is_protected_as_what_it_leads_to_is(tmp_path: Path) -> None:
    for folder in ("shared/place", "mine"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "mine/link").symlink_to("../shared/place")
    for folder in ("mine", "mine/link", "shared", "shared/place/x"):
        assert folder_refusal(tmp_path, "protected=mine/link", f"checkpoint={folder}/voice.pt").startswith(
            f"checkpoint: {folder}/voice.pt"
        )


def test_a_link_into_the_project_that_judges_is_refused_from_any_workspace(tmp_path: Path) -> None:
    settings = load("auntie_dottie", overrides=["protected="], environ={})
    (tmp_path / "external").symlink_to(OBJECTIVES.parent)
    with pytest.raises(SettingsError, match=r"^manifest: .* leads into acceptance,"):
        check_folders(settings, tmp_path)


def test_a_link_that_leads_in_a_circle_is_left_to_the_write_probe(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").symlink_to("checkpoints")
    check_folders(load("auntie_dottie", environ={}), tmp_path)


@pytest.mark.parametrize("name", sorted(path.stem for path in OBJECTIVES.glob("*.toml")))
def test_the_folders_of_the_delivered_objectives_are_the_jobs_own_in_this_project_and_elsewhere(
    name: str, tmp_path: Path
) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "checkpoints").symlink_to("disk")
    check_folders(load(name, environ={}), PROJECT_ROOT)
    check_folders(load(name, environ={}), tmp_path)


@pytest.mark.parametrize(("override", "said"), [
    ("memroy=3g", "--set memroy: memroy: no such key; did you mean memory?"),
    ("nokey=1", "--set nokey: nokey: no such key; the keys are name, runtime, audio, "),
])  # fmt: skip
def test_an_unknown_key_is_told_with_those_that_there_are(override: str, said: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load("demo", overrides=[override], environ={})
    assert str(raised.value).startswith(said)


def test_an_objective_that_cannot_be_read_is_a_settings_error() -> None:
    with pytest.raises(SettingsError, match=r"cannot be read: .*; give a readable \.toml file"):
        load("/proc/self/mem", environ={})


@pytest.mark.parametrize(("variable", "meant"), [
    ("VOICE_MEMROY", "VOICE_MEMORY"), ("VOICE_TRAIN_DEADLINE", "VOICE_TRAIN_DEADLINE_S"), ("VOICE_MEMORY__X", "VOICE_MEMORY"),
    ("VOICE_BUILD_ARG__BASE_IMAGE", "VOICE_BUILD_ARGS__BASE_IMAGE"),
])  # fmt: skip
def test_a_variable_that_looks_like_an_override_is_warned_of(variable: str, meant: str) -> None:
    assert [text.rpartition("did you mean ")[2] for text in misspelt_variables({variable: "1"})] == [f"{meant}?"]


def test_variables_that_override_or_that_others_read_are_not_warned_of() -> None:
    sources = "\n".join(
        path.read_text() for folder in ("trainer", "docker") for path in (PROJECT_ROOT / folder).rglob("*.[ps][yh]")
    )
    sources += (PROJECT_ROOT / "acceptance/evidence/job.py").read_text()
    read_by_others = set(re.findall(r"VOICE_[A-Z0-9_]*[A-Z0-9]", sources)) - {"VOICE_BACKBONE"}
    assert {"VOICE_WORKSPACE", "VOICE_SOURCE_AUDIO", "VOICE_BACKBONE_NAME", "VOICE_BACKBONE_WEIGHTS"} <= read_by_others
    fields_of_trainer = {
        f"VOICE_{name}" for name in ("TRAIN_STEPS", "TRAIN_BATCH_SIZE", "NATURAL_MINUTES", "PREPARE_MIN_SNR_DB")
    }
    overrides = {"VOICE_MEMORY", "VOICE_ENV__ANYTHING", "VOICE_BUILD_ARGS__BASE_IMAGE", "MEMROY"}
    assert misspelt_variables(dict.fromkeys(read_by_others | fields_of_trainer | overrides, "1")) == []


BEYOND = {
    "min_audio_bytes": ("-1", "1e400", "nan", "9" * 5000),
    "max_audio_hours": ("0", "inf", "-inf", "nan", "1e6", "9" * 5000),
    "build_deadline_s": ("0", "-1", "inf", "nan"),
    "train_deadline_s": ("0", "-1", "inf", "nan", "9" * 5000),
    "pids_limit": ("0", "-1", str(2**63), "9" * 5000, "1.5"),
    "seed": ("-1", str(2**63), "9" * 5000),
    "threads": ("0", "100000", "true"),
    "memory": ("0", "5m", "-1", str(2**63), "1.5g", "9" * 5000),
    "shm": ("0", "0m", "-1"),
    "max_checkpoint": ("0", "9" * 5000),
}


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in BEYOND.items() for value in values])
def test_a_number_beyond_its_bounds_is_refused_from_every_source_with_key_and_bounds(
    tmp_path: Path, key: str, value: str
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(MINIMAL)
    written = f'{key} = "{value}"' if key in ("memory", "shm", "max_checkpoint") else f"{key} = {value}"
    bad = tmp_path / "bad.toml"
    bad.write_text(MINIMAL + written + "\n")
    for said in (refusal(path, f"{key}={value}"), refusal(path, environ={f"VOICE_{key.upper()}": value}), refusal(bad)):
        assert key in said
        assert str(bounds.BOUNDS[key]) in said
        assert len(said) < 400 + len(str(tmp_path))


@pytest.mark.parametrize(
    "text",
    ["command = " + "[" * depth + "]" * depth for depth in (20, 1000, 100_000)]
    + ["env = " + "{a = " * 1000 + "1" + "}" * 1000, "x." * 20 + "y = 1", "# " + "a" * 2**21],
    ids=str.__len__,
)
def test_an_objective_that_is_too_deep_or_too_long_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.toml").write_text(MINIMAL + text + "\n")
    assert re.search(r"nested deeper than|more than \d+ bytes", refusal(tmp_path / "bad.toml"))


def test_an_integer_that_no_key_bounds_is_refused_as_toml(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text(MINIMAL + "unknown = " + "9" * 5000 + "\n")
    assert "not valid TOML" in refusal(tmp_path / "bad.toml")
