"""Preparation of what comes with words: a text beside the recording, a folder of clips with its table."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.trainer.preparation.test_prepare import RATE, SHARED, read, run
from trainer.dataset import manifest
from trainer.errors import DataError
from trainer.preparation.prepare import prepare


def test_the_text_beside_the_recording_is_bound_to_the_manifest(
    small_recording: Path, small_manifest: Path, tmp_path: Path
) -> None:
    audio = tmp_path / "a.flac"
    audio.write_bytes(small_recording.read_bytes())
    audio.with_suffix(".txt").write_text("All of the words.")
    made = run(audio, tmp_path / "out")
    assert (made.transcript.path, made.transcript.characters) == ("a.txt", 17)
    assert {(entry.transcript, entry.transcript_source) for entry in made.entries} == {("", "sidecar_unaligned")}
    assert made.preparation.key != manifest.load(small_manifest).preparation.key


def clip_folder(small_manifest: Path, root: Path) -> Path:
    """The clips of `small_manifest` in LJSpeech's layout."""
    (root / "wavs").mkdir(parents=True)
    rows = []
    for entry in manifest.load(small_manifest).entries:
        soundfile.write(root / "wavs" / f"{entry.id}.wav", read(small_manifest.parent / entry.path), RATE)
        rows.append(f"{entry.id}|Sentence of {entry.id}.")
    (root / "metadata.csv").write_text("\n".join(rows))
    return root / "metadata.csv"


def test_a_folder_of_clips_keeps_each_clip_and_its_transcript(small_manifest: Path, tmp_path: Path) -> None:
    table = clip_folder(small_manifest, tmp_path / "voice")
    made = prepare(table, tmp_path / "out" / "m.json", workspace=tmp_path)
    assert [entry.id for entry in made.entries] == [entry.id for entry in manifest.load(small_manifest).entries]
    assert all(entry.transcript == f"Sentence of {entry.id}." for entry in made.entries)
    assert {entry.transcript_source for entry in made.entries} == {"metadata"}
    assert (made.source.path, made.transcript.path) == ("voice/metadata.csv", "voice/metadata.csv")
    assert manifest.load(tmp_path / "out" / "m.json") == made


def test_a_copy_of_a_clip_is_left_out_by_name_and_never_held_out(small_manifest: Path, tmp_path: Path) -> None:
    clip_folder(small_manifest, tmp_path / "voice").unlink()
    shutil.copytree(tmp_path / "voice/wavs", tmp_path / "voice/wavs_old")
    notes: list[str] = []
    made = prepare(tmp_path / "voice", tmp_path / "out" / "m.json", workspace=tmp_path, on_note=notes.append)
    alone = [entry.sha256 for entry in manifest.load(small_manifest).entries]
    assert len(made.entries) == len({entry.sha256 for entry in made.entries}) == len(alone)
    assert "wavs_old/utt_00001 is the same audio as utt_00001 and is left out" in notes and len(notes) == len(alone)


def test_clips_of_unusable_length_are_dropped_with_a_reason(small_manifest: Path, tmp_path: Path) -> None:
    table = clip_folder(small_manifest, tmp_path)
    first, second, third, *others = (read(path) for path in sorted((tmp_path / "wavs").iterdir()))
    soundfile.write(tmp_path / "wavs" / "utt_00001.wav", first[: RATE // 2], RATE)
    soundfile.write(tmp_path / "wavs" / "utt_00002.wav", np.concatenate([second, third, *others[:2]]), RATE)
    soundfile.write(tmp_path / "wavs" / "utt_00003.wav", np.zeros(3 * RATE), RATE)
    made = run(table, tmp_path / "out")
    assert [drop.reason for drop in made.dropped] == ["too_short", "too_long", "not_speech"]
    assert len(made.entries) == 7


def test_a_changed_transcript_changes_the_key(small_manifest: Path, tmp_path: Path) -> None:
    table = clip_folder(small_manifest, tmp_path)
    first = run(table, tmp_path / "out")
    table.write_text(table.read_text().replace("Sentence", "Phrase"))
    assert run(table, tmp_path / "out").preparation.key != first.preparation.key


def test_a_damaged_clip_is_named(small_manifest: Path, tmp_path: Path) -> None:
    table = clip_folder(small_manifest, tmp_path)
    (tmp_path / "wavs" / "utt_00004.wav").write_bytes(b"RIFF")
    with pytest.raises(DataError, match=r"utt_00004\.wav"):
        run(table, tmp_path / "out")


def test_a_human_folder_of_clips_keeps_its_transcripts(tmp_path: Path) -> None:
    table = SHARED / "lj" / "metadata.csv"
    if not table.is_file():
        pytest.skip(f"no human clips at {table}")
    made = run(table, tmp_path)
    assert len(made.entries) >= 30
    assert all(entry.transcript for entry in made.entries)
