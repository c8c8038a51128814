"""A folder of clips: both layouts are found, and a bad row is named by file and line."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from trainer.dataset import clip_folder
from trainer.errors import DataError


def folder_of_clips(root: Path, *names: str, inside: str = "clips") -> Path:
    (root / inside).mkdir(parents=True, exist_ok=True)
    for name in names:
        soundfile.write(root / inside / name, np.zeros(100, np.float32), 22_050)
    return root


@pytest.mark.parametrize("inside", ["clips", "wavs", "."])
@pytest.mark.parametrize("named", ["table", "folder"])
def test_a_table_gives_each_clip_its_text(tmp_path: Path, inside: str, named: str) -> None:
    folder_of_clips(tmp_path, "b.wav", "a.flac", inside=inside)
    table = tmp_path / "metadata.csv"
    table.write_text('b|Doctor "Who"  said|doctor who said\na|One\u2014two.\n\n', encoding="utf-8")
    found = clip_folder.read(table if named == "table" else tmp_path / inside)
    assert [(clip.id, Path(clip.path).name, clip.transcript, clip.transcript_source) for clip in found.clips] == [
        ("a", "a.flac", "One\u2014two.", "metadata"),
        ("b", "b.wav", "doctor who said", "metadata"),
    ]
    assert found.table == table


def test_an_empty_third_column_falls_back_to_the_second(tmp_path: Path) -> None:
    folder_of_clips(tmp_path, "a.wav")
    (tmp_path / "metadata.csv").write_text("a|As written|\n")
    assert clip_folder.read(tmp_path / "metadata.csv").clips[0].transcript == "As written"


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (b"a", "1 columns"),
        (b"a|b|c|d", "4 columns"),
        (b"|text", "no name of a clip"),
        (b"../a|text", "out of the folder"),
        (b"..|text", "out of the folder"),
        (b"a|", "no text"),
        (b"a|  |", "no text"),
        (b"first|again", "already on line 1"),
        (b"gone|text", "no audio file"),
        (b"a|caf\xe9", "not UTF-8"),
        (b"a|bell\x07", "control character U+0007"),
    ],
)
def test_a_bad_row_is_named_by_file_and_line(tmp_path: Path, row: bytes, problem: str) -> None:
    folder_of_clips(tmp_path, "first.wav", "a.wav")
    (tmp_path / "metadata.csv").write_bytes(b"first|good row\n\n" + row + b"\n")
    with pytest.raises(DataError, match=r"metadata\.csv, line 3: ") as caught:
        clip_folder.read(tmp_path / "metadata.csv")
    assert problem in str(caught.value)
    assert caught.value.cause == "transcript_invalid"


def test_windows_line_ends_are_accepted(tmp_path: Path) -> None:
    folder_of_clips(tmp_path, "a.wav")
    (tmp_path / "metadata.csv").write_bytes(b"a|One.\r\n")
    assert clip_folder.read(tmp_path / "metadata.csv").clips[0].transcript == "One."


def test_clips_without_a_table_may_have_texts_of_their_own(tmp_path: Path) -> None:
    folder_of_clips(tmp_path, "a.wav", "b.wav")
    (tmp_path / "clips" / "a.txt").write_text("One\ntwo.\n")
    clips = clip_folder.read(tmp_path / "clips").clips
    assert [(clip.transcript, clip.transcript_source) for clip in clips] == [("One two.", "sidecar"), ("", "none")]


def test_two_clips_of_one_name_are_refused(tmp_path: Path) -> None:
    folder_of_clips(tmp_path, "a.wav", "a.flac")
    with pytest.raises(DataError, match="same id"):
        clip_folder.read(tmp_path / "clips")


@pytest.mark.parametrize("name", [b"a|b.flac", b" a.flac", b"a\nb.flac", b"caf\xe9.flac"])
def test_a_clip_that_no_line_of_a_table_can_name_is_refused(tmp_path: Path, name: bytes) -> None:
    clips = folder_of_clips(tmp_path, "a.flac") / "clips"
    (clips / "a.flac").rename(clips / os.fsdecode(name))
    with pytest.raises(DataError, match="rename it") as caught:
        clip_folder.read(clips)
    assert caught.value.cause == "name_not_portable"


def test_a_folder_without_clips_is_no_recording(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        clip_folder.read(tmp_path)
    assert caught.value.cause == "audio_missing"
