"""`voice evaluate`: the trainer's measures with the policy's limits, and answers that a program can read."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result

from acceptance import policy
from acceptance.cli.main import voice
from tests.acceptance.scorecards.makings import checkpoint_file
from trainer.evaluation import evaluate
from trainer.evaluation.faults import SignalLimits
from trainer.synthesis import clip_record
from trainer.synthesis.delivery import Delivery
from trainer.teachers import espeak

pytestmark = pytest.mark.session


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
    assert (
        [row["id"] for row in rows] == ["a", "b"] and rows[1]["faults"][0] == "silent" and rows[0]["similarity"] > 0.9
    )
    strict = json.loads(run(place, *asked, "--threshold", "audio.max_loudness_lufs=-40").stdout)
    assert "too_loud" in strict["rows"][0]["faults"] and "too_loud" not in rows[0]["faults"]
    assert strict["pins"]["signal_limits"] != json.loads(plain.stdout)["pins"]["signal_limits"]


def test_table_is_printed_without_json(place: Path) -> None:
    found = run(place, "--reference", str(place / "real"), "--without-texts")
    assert found.exit_code == 0 and "similarity to the reference" in found.stdout and "silent" in found.stdout


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        ([], "reference_missing"),
        (["--reference", "nowhere"], "audio_missing"),
        (["--threshold", "audio.fame=1"], "policy_invalid"),
    ],
)
def test_what_cannot_be_answered_ends_with_two_and_its_cause(arguments: list[str], cause: str, place: Path) -> None:
    found = run(place, *arguments, "--json")
    assert found.exit_code == 2 and json.loads(found.stdout.splitlines()[0])["cause"] == cause and cause in found.stderr


def test_policy_without_a_file_and_the_trainer_have_the_same_limits(tmp_path: Path) -> None:
    assert policy.load(tmp_path / "nowhere.yaml").audio.signal_limits() == SignalLimits()


def test_help_has_examples(place: Path) -> None:
    found = CliRunner().invoke(voice, ["evaluate", "--help"])
    assert found.exit_code == 0 and "voice evaluate --generated spoken/" in found.stdout


@pytest.fixture
def site(place: Path, tmp_path: Path) -> Path:
    """The clips again, beside a checkpoint, texts, and files that are somebody's."""
    shutil.copytree(place, tmp_path, dirs_exist_ok=True)
    checkpoint_file(tmp_path / "voice.pt", "d" * 64)
    (tmp_path / "texts.txt").write_text("a|Good morning to you.\nb|Silence.\n")
    (tmp_path / "notes.md").write_text("# Evaluation\n\nmine\n")
    return tmp_path


def measured(site: Path, *arguments: str) -> Result:
    names = {"reference": "real", "texts": "texts.txt", "checkpoint": "voice.pt"}
    return run(site, *(f"--{name}={site / path}" for name, path in names.items()), *arguments)


def pictures(site: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in site.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("files", "named"),
    [
        (["output=voice.pt"], "the checkpoint"),
        (["markdown=texts.txt"], "the texts"),
        (["output=spoken/a.wav"], "the generated clip"),
        (["plot=real/r.wav"], "the reference clip"),
        (["output=both.out", "markdown=both.out"], "--markdown and --output name one file"),
        (["markdown=notes.md"], "notes.md exists and is no earlier result of --markdown"),
        (["output=notes.md"], "notes.md exists and is no earlier result of --output"),
    ],
)
def test_no_output_replaces_what_it_was_not_meant_for(
    files: list[str], named: str, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate, "evaluate", lambda *_, **__: pytest.fail("something was measured"))
    before = pictures(site)
    words = [f"--{option}={site / name}" for option, name in (file.split("=") for file in files)]
    found = measured(site, *words, "--json")
    assert found.exit_code == 2 and json.loads(found.stdout)["cause"] == "output_exists" and named in found.stderr
    assert pictures(site) == before


@pytest.mark.parametrize("place_named", ["voice.pt/evaluation.json", "x" * 250])
def test_an_output_that_cannot_be_written_is_refused_before_measuring(
    place_named: str, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate, "evaluate", lambda *_, **__: pytest.fail("something was measured"))
    found = run(site, f"--reference={site / 'real'}", "--without-texts", f"--markdown={site / place_named}")
    assert found.exit_code == 2 and "[output_not_writable]" in found.stderr


def test_an_earlier_evaluation_is_replaced_and_other_files_when_asked(site: Path) -> None:
    files = [
        f"--{option}={site / name}" for option, name in (("output", "e.json"), ("markdown", "e.md"), ("plot", "e.png"))
    ]
    for words in (files, files, [f"--output={site / 'notes.md'}", "--overwrite"]):
        found = measured(site, *words)
        assert found.exit_code == 0, found.stderr
    assert json.loads((site / "notes.md").read_bytes())["schema"] == "voice_evaluation/1"


def test_real_recordings_are_not_judged_as_a_voice(site: Path) -> None:
    shutil.copyfile(site / "real" / "r.wav", site / "spoken" / "c.wav")
    found = run(site, f"--reference={site / 'real'}", "--without-texts", "--json")
    assert found.exit_code == 2 and json.loads(found.stdout)["cause"] == "not_generated"
    assert "spoken/c.wav is the reference clip" in found.stderr and "1 of 3 clips" in found.stderr


def test_a_checkpoint_without_a_record_beside_the_clips_is_a_claim(site: Path) -> None:
    output = site / "e.json"
    assert measured(site, f"--output={output}").exit_code == 0
    assert json.loads(output.read_bytes())["checkpoint_origin"] == "claimed"
    sha256 = hashlib.sha256((site / "voice.pt").read_bytes()).hexdigest()
    clip_record.add(
        site / "spoken", ["a.wav", "b.wav"], checkpoint_sha256=sha256, delivery=Delivery(sample_rate=22_050)
    )
    assert measured(site, f"--output={output}").exit_code == 0
    assert json.loads(output.read_bytes())["checkpoint_origin"] == "recorded"
