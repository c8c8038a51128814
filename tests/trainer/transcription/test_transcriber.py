"""What is said in every utterance: a person's correction first, then what was given, then what is found or heard."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import soundfile

from trainer import espeak, manifest
from trainer.errors import DataError
from trainer.prepare import PrepareSettings, prepare
from trainer.transcription import recognise

SENTENCES = (
    "Nobody noticed the strange noise until the engine stopped.",
    "The museum will be closed for repairs until the spring.",
    "I forgot my umbrella so I got completely wet.",
    "He has worked for the same company for thirty years.",
    "The price of oil rose sharply after the announcement.",
    "We usually buy fresh fish and vegetables at the market.",
    "She opened the window because the room was far too warm.",
    "There is nothing better than a hot shower after a hard day.",
    "The government has promised to lower taxes for small businesses.",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips of nine sentences with their table."""
    root = tmp_path_factory.mktemp("said")
    (root / "clips").mkdir()
    for index, (wave, rate) in enumerate(espeak.speak_all([espeak.SpeechRequest(text=text) for text in SENTENCES]), start=1):
        soundfile.write(root / "clips" / f"c{index}.flac", wave, rate)
    (root / "metadata.csv").write_text("".join(f"c{index}|{text}\n" for index, text in enumerate(SENTENCES, start=1)))
    return root


@pytest.fixture
def table(folder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(folder, tmp_path / "source") / "metadata.csv"


def transcripts(source: Path, output: Path, settings: PrepareSettings | None = None) -> dict[str, tuple[str, str, float]]:
    made = prepare(source, output / "manifest.json", settings, workspace=source.parent, transcribe=True)
    assert manifest.load(output / "manifest.json") == made
    return {entry.id: (entry.transcript, entry.transcript_source, entry.transcript_confidence) for entry in made.entries}


def test_what_the_table_gives_is_taken_without_listening(table, tmp_path, monkeypatch):
    monkeypatch.setattr(recognise, "recognise", lambda waves, **options: [] if not waves else pytest.fail("nothing is to be recognised"))
    found = transcripts(table, tmp_path)
    assert found["c3"] == (SENTENCES[2], "metadata", 1.0)
    assert len(found) == len(SENTENCES)
    assert (tmp_path / "transcripts.csv").read_text().splitlines()[0] == f"c1|{SENTENCES[0]}|metadata|1.0"


def test_a_correction_goes_before_the_table_and_an_empty_one_drops_the_utterance(table, tmp_path):
    table.with_name("metadata.corrections.csv").write_text("c2|The museum is closed.\nc4|\n")
    found = transcripts(table, tmp_path)
    assert found["c2"] == ("The museum is closed.", "corrected", 1.0)
    assert "c4" not in found
    dropped = json.loads((tmp_path / "manifest.json").read_text())["dropped"]
    assert [drop["reason"] for drop in dropped] == ["transcript_mismatch"]


@pytest.mark.parametrize("line", ["c99|no such clip", "no bar", "c1|one\nc1|two"])
def test_a_correction_of_nothing_is_an_error_that_names_file_and_line(table, tmp_path, line):
    table.with_name("metadata.corrections.csv").write_text(line + "\n")
    with pytest.raises(DataError, match=r"metadata\.corrections\.csv, line [12]") as caught:
        transcripts(table, tmp_path)
    assert caught.value.cause == "transcript_invalid"


def test_what_is_not_given_is_recognised_once_and_remembered(folder, tmp_path, monkeypatch):
    clips = tmp_path / "clips"
    clips.mkdir()
    for name in ("c1", "c6", "c7"):
        shutil.copy(folder / "clips" / f"{name}.flac", clips)
    first = transcripts(clips, tmp_path / "out", PrepareSettings(min_usable_s=2.0))
    assert first
    assert all(source == "recognised" and 0.1 <= confidence <= 1 for _, source, confidence in first.values())
    monkeypatch.setattr(recognise, "recognise", lambda waves, **options: [] if not waves else pytest.fail("it was recognised before"))
    assert transcripts(clips, tmp_path / "out", PrepareSettings(min_usable_s=2.0)) == first
