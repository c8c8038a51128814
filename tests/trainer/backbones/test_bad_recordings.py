"""Recordings and texts that are not what they should be, through the whole job of the default backbone: a cause before any training."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.trainer.backbones.job import Job
from tests.trainer.preparation.made_kinds import telephone
from trainer.dataset import manifest
from trainer.preparation.prepare import PrepareSettings, prepare
from trainer.preparation.transcription import recognise
from trainer.preparation.transcription.recognise import Heard
from trainer.teachers.demo_sentences import SENTENCES

pytestmark = pytest.mark.training

RATE = 22_050
SAID = SENTENCES[:18]
OTHER = "And the earth was without form, and void; and darkness was upon the face of the deep. " * 6
GERMAN = "Der schnelle braune Fuchs springt über den faulen Hund, und niemand weiß, warum er das eigentlich tut. " * 6


@pytest.fixture(scope="module")
def whole_recording(spoken_table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All clips one after the other with pauses."""
    pause = np.zeros(RATE, np.float32)
    clips = sorted((spoken_table.parent / "clips").glob("*.flac"))
    path = tmp_path_factory.mktemp("whole") / "recording.flac"
    soundfile.write(
        path,
        np.concatenate([part for clip in clips for part in (soundfile.read(clip, dtype="float32")[0], pause)]),
        RATE,
    )
    return path


@pytest.fixture
def recording(whole_recording: Path, tmp_path: Path) -> Path:
    """A copy that a test may put texts beside."""
    (tmp_path / "source").mkdir()
    return Path(shutil.copy(whole_recording, tmp_path / "source"))


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The recogniser hears the sentences, at once; gives the numbers of utterances that it was asked for."""
    asked: list[int] = []

    def hear(waves, **options) -> list[Heard]:
        asked.append(len(waves))
        return [Heard(text=said.lower().rstrip(".?!").replace(",", "")) for said in SAID[: len(waves)]]

    monkeypatch.setattr(recognise, "recognise", hear)
    return asked


def refused(source: Path, outputs: Path, **changes: str) -> tuple[str, str]:
    """(cause, message) of a job that has to end as a matter of the data, before training, in one line."""
    job = Job(source, outputs)
    code, output = job.here(**changes)
    assert code == 10, output
    assert output.count("FAILURE cause=") == 1 and "Traceback" not in output
    assert "model_ok\n" in output and "data_ok\n" not in output and "train_started" not in output
    status = job.status_now()
    assert status["status"] == "failed" and not job.voice.exists()
    return status["cause"], status["message"]


# --- what is not one voice ---


def chords(seconds: np.ndarray) -> np.ndarray:
    """Four broken chords of seven partials each, again and again, plucked."""
    wave, step, own = np.zeros_like(seconds), RATE // 4, seconds[: 2 * RATE]
    for number, hertz in enumerate([261.6, 329.6, 392.0, 523.3, 220.0, 277.2, 329.6, 440.0]):
        tone = sum(np.sin(2 * np.pi * hertz * partial * own) / partial for partial in range(1, 8))
        plucked = 0.05 * tone * np.exp(-2.0 * own)
        for start in range(number * step, len(wave) - len(own), 8 * step):
            wave[start : start + len(own)] += plucked
    return wave


def noise(seconds: np.ndarray) -> np.ndarray:
    return 0.1 * np.random.default_rng(0).standard_normal(len(seconds))


@pytest.mark.parametrize("make", [chords, noise])
def test_music_and_noise_are_no_speech(make, tmp_path):
    soundfile.write(tmp_path / "a.flac", make(np.arange(60 * RATE) / RATE), RATE)
    cause, message = refused(tmp_path / "a.flac", tmp_path / "out")
    assert cause == "no_usable_speech"
    assert "record clear speech of one person" in message


def test_twenty_seconds_of_speech_are_too_few_and_it_is_said_how_many_are_needed(spoken_table, tmp_path):
    rows = spoken_table.read_text().splitlines()[:8]
    (tmp_path / "metadata.csv").write_text("\n".join(rows))
    shutil.copytree(spoken_table.parent / "clips", tmp_path / "clips")
    cause, message = refused(tmp_path / "metadata.csv", tmp_path / "out")
    assert cause == "too_little_speech"
    assert "at least 40 s are needed" in message and "record more" in message


def test_what_kind_of_recording_it_is_stands_in_the_log_and_in_the_status(spoken_table, tmp_path):
    (tmp_path / "clips").mkdir()
    (tmp_path / "metadata.csv").write_text("\n".join(spoken_table.read_text().splitlines()[:8]))
    for clip in sorted((spoken_table.parent / "clips").glob("*.flac"))[:8]:
        samples, rate = soundfile.read(clip, dtype="float32")
        soundfile.write(tmp_path / "clips" / clip.name, telephone(samples, rate), rate)
    job = Job(tmp_path / "metadata.csv", tmp_path / "out")
    _, output = job.here()
    (warning,) = job.status_now()["warnings"]
    assert warning.startswith("8 of 8 utterances have no sound above") and "as by telephone" in warning
    assert f"WARNING {warning}" in output.splitlines()


# --- what is not the text of the recording ---


def test_a_table_of_another_recording_is_refused(spoken_table, tmp_path):
    source = shutil.copytree(spoken_table.parent, tmp_path / "source") / "metadata.csv"
    source.write_text("".join(f"c{index:02d}|{text}\n" for index, text in enumerate(SENTENCES[-18:], start=1)))
    cause, message = refused(source, tmp_path / "out")
    assert cause == "transcript_mismatch"
    assert "bear out their transcripts" in message


@pytest.mark.parametrize(
    ("text", "cause", "said"),
    [
        (OTHER, "transcript_mismatch", "seems to be of another recording"),
        (GERMAN, "transcript_invalid", "give an English transcript"),
        ("\U0001f642 \U0001f642", "transcript_invalid", "words"),
    ],
    ids=["another recording", "another language", "emoji"],
)
def test_a_text_that_is_not_what_is_said_is_refused(text, cause, said, recording, tmp_path, heard):
    recording.with_suffix(".txt").write_text(text, "utf-8")
    found, message = refused(recording, tmp_path / "out")
    assert (found, said in message) == (cause, True), message


def test_of_half_a_transcript_the_rest_is_dropped_and_that_is_said(recording, tmp_path, heard):
    recording.with_suffix(".txt").write_text(" ".join(SAID[:9]), "utf-8")
    warnings: list[str] = []
    made = prepare(recording, tmp_path / "out/m.json", workspace=tmp_path, transcribe=True, on_note=warnings.append)
    assert "it seems to end early; the rest is not learnt from" in warnings[-1]
    assert 7 <= len(made.entries) <= 10
    assert {drop.reason for drop in made.dropped} == {"transcript_mismatch"}


def test_a_warning_is_in_the_status_even_if_the_job_then_fails(recording, tmp_path, heard):
    recording.with_suffix(".txt").write_text(" ".join(SAID[:9]), "utf-8")
    job = Job(recording, tmp_path / "out")
    code, output = job.here()
    assert (code, job.status_now()["cause"]) == (10, "too_little_speech")
    assert any(line.startswith("WARNING the transcript covers") for line in output.splitlines())
    assert any("it seems to end early" in warning for warning in job.status_now()["warnings"])


def test_a_recording_of_which_everything_is_dropped_by_hand_has_no_usable_speech(recording, tmp_path, heard):
    recording.with_suffix(".txt").write_text(" ".join(SAID), "utf-8")
    recording.with_suffix(".corrections.csv").write_text(
        "".join(f"utt_{number:05d}|\n" for number in range(1, len(SAID) + 1))
    )
    assert refused(recording, tmp_path / "out")[0] == "no_usable_speech"
    assert heard == []


# --- more than is needed ---


def test_of_a_long_recording_evenly_chosen_utterances_are_recognised_and_the_rest_is_listed(recording, tmp_path, heard):
    settings = PrepareSettings(
        max_transcribed_s=30.0, min_recognised_score=-1e9
    )  # what is heard here is not what is said
    notes: list[str] = []

    def run(output: Path) -> manifest.Manifest:
        return prepare(
            recording, output / "m.json", settings, workspace=tmp_path, transcribe=True, on_note=notes.append
        )

    made = run(tmp_path / "one")
    assert heard == [len(made.entries)] and len(made.entries) < len(SAID) - 3
    train = made.split("train")
    assert 20.0 < sum(entry.duration_s for entry in train) <= settings.max_transcribed_s
    # From the whole recording, not from its beginning, and what is held out is its end.
    assert train[-1].start_s > 0.7 * made.split("held_out")[0].start_s
    assert max(entry.end_s for entry in train) < min(entry.start_s for entry in made.split("held_out"))
    assert {drop.reason for drop in made.dropped} == {"not_needed"} and len(made.dropped) + len(made.entries) == len(
        SAID
    )
    assert "evenly chosen" in notes[0]
    assert manifest.load(tmp_path / "one/m.json") == made == run(tmp_path / "two")
