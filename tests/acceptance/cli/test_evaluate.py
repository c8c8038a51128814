"""`voice evaluate`: the trainer's measures with the policy's limits, and answers that a program can read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result

from acceptance import policy
from acceptance.cli.main import voice
from trainer import espeak
from trainer.scores.faults import SignalLimits


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One sound and one silent clip to judge, one to compare with."""
    root = tmp_path_factory.mktemp("evaluate")
    wave, rate = espeak.speak("Good morning to you.")
    for folder, name, samples in (("spoken", "a", wave), ("spoken", "b", np.zeros(9_000)), ("real", "r", wave * 0.8)):
        (root / folder).mkdir(exist_ok=True)
        soundfile.write(root / folder / f"{name}.wav", samples, rate)
    return root


def run(place: Path, *arguments: str) -> Result:
    base = ["evaluate", "--generated", str(place / "spoken"), "--processes", "1"]
    return CliRunner().invoke(voice, [*base, *arguments])


def test_json_is_the_document_and_thresholds_decide_the_faults(place: Path, tmp_path: Path) -> None:
    output = tmp_path / "evaluation.json"
    asked = ["--reference", str(place / "real"), "--without-texts", "--json", "--output", str(output)]
    plain = run(place, *asked)
    assert plain.exit_code == 0 and json.loads(plain.stdout) == json.loads(output.read_bytes())
    rows = json.loads(plain.stdout)["rows"]
    assert [row["id"] for row in rows] == ["a", "b"] and rows[1]["faults"][0] == "silent" and rows[0]["similarity"] > 0.9
    strict = json.loads(run(place, *asked, "--threshold", "audio.max_loudness_lufs=-40").stdout)
    assert "too_loud" in strict["rows"][0]["faults"] and "too_loud" not in rows[0]["faults"]
    assert strict["pins"]["signal_limits"] != json.loads(plain.stdout)["pins"]["signal_limits"]


def test_table_is_printed_without_json(place: Path) -> None:
    found = run(place, "--reference", str(place / "real"), "--without-texts")
    assert found.exit_code == 0 and "similarity to the reference" in found.stdout and "silent" in found.stdout


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [([], "reference_missing"), (["--reference", "nowhere"], "audio_missing"), (["--threshold", "audio.fame=1"], "policy_invalid")],
)
def test_what_cannot_be_answered_ends_with_two_and_its_cause(arguments: list[str], cause: str, place: Path) -> None:
    found = run(place, *arguments, "--json")
    assert found.exit_code == 2 and json.loads(found.stdout.splitlines()[0])["cause"] == cause and cause in found.stderr


def test_policy_without_a_file_and_the_trainer_have_the_same_limits(tmp_path: Path) -> None:
    assert policy.load(tmp_path / "nowhere.yaml").audio.signal_limits() == SignalLimits()


def test_help_has_examples(place: Path) -> None:
    found = CliRunner().invoke(voice, ["evaluate", "--help"])
    assert found.exit_code == 0 and "voice evaluate --generated spoken/" in found.stdout
