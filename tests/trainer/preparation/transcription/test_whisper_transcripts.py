"""A recording without transcript, heard by whisper: marks, numbers in words, doubts for a person, and the same bytes again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from trainer.dataset import manifest
from trainer.preparation import recognisers
from trainer.preparation.prepare import PrepareSettings, prepare
from trainer.preparation.recognisers import RecogniserChoice
from trainer.preparation.transcription import recognise
from trainer.teachers import espeak

pytestmark = [pytest.mark.long]
pytest.importorskip("faster_whisper", reason="faster-whisper is not installed: make venv EXTRAS=whisper")

LJ = Path(__file__).parents[5] / "shared" / "voices" / "lj"
WHISPER = RecogniserChoice(name="whisper")
SETTINGS = PrepareSettings(min_usable_s=10.0)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four clips of a reader and one sentence in French, with pauses between, and nothing beside them."""
    if not LJ.is_dir():
        pytest.skip("no human speech in ../shared/voices")
    clips = [soundfile.read(LJ / "clips" / f"LJ001-000{number}.flac", dtype="float32") for number in (7, 8, 4, 5)]
    rate = clips[0][1]
    french, theirs = espeak.speak("Longtemps je me suis couché de bonne heure, et mes yeux se fermaient si vite.", "fr")
    times = np.arange(round(len(french) / theirs * rate)) / rate
    foreign = np.interp(times, np.arange(len(french)) / theirs, french).astype(np.float32)
    pause = np.zeros(rate * 3 // 2, np.float32)
    parts = [clips[0][0], clips[1][0], foreign, clips[2][0], clips[3][0]]
    path = tmp_path_factory.mktemp("whisper") / "recording.flac"
    soundfile.write(path, np.concatenate([part for wave in parts for part in (wave, pause)]), rate)
    return path


def test_a_recording_is_written_down_with_marks_and_what_is_doubted(
    recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes: list[str] = []
    path = tmp_path / "manifest.json"
    made = prepare(
        recording, path, SETTINGS, workspace=recording.parent, transcribe=True, recogniser=WHISPER, on_note=notes.append
    )
    assert manifest.load(path) == made
    assert made.preparation.recogniser == f"whisper {recognisers.identity(WHISPER)}"
    said = [entry.transcript for entry in made.entries]
    # Which of the four the aligner, adapted to so little speech, also believes depends on the processor.
    assert len(said) >= 2 and "fifteenth century" in said[-1]
    assert any("," in text for text in said) and not any(letter.isdigit() for letter in "".join(said))
    assert "not_understood" in {drop.reason for drop in made.dropped}
    assert any("not in English" in note for note in notes)
    listing = (tmp_path / "transcripts.csv").read_bytes()
    assert {line.count("|") for line in listing.decode().splitlines()} == {4}
    before = path.read_bytes()
    # Heard once: a second run asks neither model again, but for the second opinion.
    asked: list[str] = []
    hear = recognise.recognise
    monkeypatch.setattr(
        recognise, "recognise", lambda waves, **how: asked.append(str(how.get("choice"))) or hear(waves, **how)
    )
    prepare(recording, path, SETTINGS, workspace=recording.parent, transcribe=True, recogniser=WHISPER)
    assert not any("whisper" in choice for choice in asked)
    assert (path.read_bytes(), (tmp_path / "transcripts.csv").read_bytes()) == (before, listing)


def test_a_manifest_without_a_recogniser_has_the_bytes_of_before(recording: Path, tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    prepare(recording, path, SETTINGS, workspace=recording.parent, transcribe=True)
    assert "recogniser" not in json.loads(path.read_text())["preparation"]
    assert {line.count("|") for line in (tmp_path / "transcripts.csv").read_text().splitlines()} == {3}
