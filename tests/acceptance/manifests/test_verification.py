"""Verification names every file that is not as listed, and only those."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from acceptance import manifests
from tests.acceptance.manifests.clips import flip, tone, with_sidecars, with_table


def faults(folder: Path) -> list[tuple[str, str]]:
    found = manifests.verify(manifests.load(folder / "clip_manifest.json"), folder)
    return [(str(fault.kind), fault.path) for fault in found]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four clips with texts beside them, and their manifest."""
    manifests.create(with_sidecars(tmp_path))
    return tmp_path


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Four clips in a metadata.csv, and their manifest."""
    manifests.create(with_table(tmp_path))
    return tmp_path


def test_an_untouched_folder_holds(folder: Path) -> None:
    assert faults(folder) == []


def test_a_folder_holds_wherever_it_is_copied(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "copy")
    shutil.rmtree(tmp_path / "copy" / "copy", ignore_errors=True)
    assert manifests.verify(manifests.load(folder / "clip_manifest.json"), tmp_path / "copy") == ()


def test_everything_that_is_wrong_is_named_at_once(folder: Path) -> None:
    flip(folder / "a.flac")
    (folder / "b.flac").unlink()
    (folder / "c.txt").write_text("Four.")
    (folder / "d.txt").unlink()
    tone(folder / "e.flac", 9)
    assert faults(folder) == [
        ("audio_changed", "a.flac"),
        ("missing", "b.flac"),
        ("transcript_changed", "c.flac"),
        ("transcript_changed", "d.flac"),
        ("extra", "e.flac"),
    ]


def test_a_clip_may_have_another_sound_and_another_text(folder: Path) -> None:
    flip(folder / "a.flac")
    (folder / "a.txt").write_text("Four.")
    assert faults(folder) == [("audio_changed", "a.flac"), ("transcript_changed", "a.flac")]


@pytest.mark.parametrize("content", [b"", b"RIFF", b"version https://git-lfs.github.com/spec/v1\n"])
def test_a_clip_that_no_longer_decodes_has_changed(folder: Path, content: bytes) -> None:
    (folder / "a.flac").write_bytes(content)
    assert faults(folder) == [("audio_changed", "a.flac")]


def test_a_clip_that_became_a_link_to_itself_is_refused(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "a.flac"
    (folder / "a.flac").rename(elsewhere)
    (folder / "a.flac").symlink_to(elsewhere)
    assert faults(folder) == [("refused", "a.flac")]


def test_a_folder_of_clips_that_became_a_link_is_not_followed(
    table: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "clips"
    (table / "clips").rename(elsewhere)
    (table / "clips").symlink_to(elsewhere)
    assert faults(table) == [("refused", "clips"), *(("missing", f"clips/{name}.flac") for name in "abcd")]


def test_an_unreadable_text_is_named_once(folder: Path) -> None:
    (folder / "a.txt").write_bytes(b"caf\xe9")
    assert faults(folder) == [("refused", "a.txt")]


def test_a_missing_table_is_one_fault(table: Path) -> None:
    (table / "metadata.csv").unlink()
    assert faults(table) == [("refused", "metadata.csv")]


def test_rows_are_compared_with_the_manifest(table: Path) -> None:
    tone(table / "clips" / "e.flac", 9)
    (table / "metadata.csv").write_text("a|One red car.\nb|Changed.\nc|Three green cars.\ne|New.\n")
    assert faults(table) == [
        ("transcript_changed", "clips/b.flac"),
        ("transcript_changed", "clips/d.flac"),
        ("extra", "clips/e.flac"),
    ]


def test_a_row_without_audio_is_a_missing_file_only_once(table: Path) -> None:
    (table / "clips" / "b.flac").unlink()
    assert faults(table) == [("missing", "clips/b.flac")]


def test_a_second_format_of_a_clip_is_named_once(folder: Path) -> None:
    tone(folder / "a.wav", 9)
    assert faults(folder) == [("refused", "a.wav")]


def test_a_listed_clip_with_a_new_twin_is_not_called_intact(folder: Path) -> None:
    tone(folder / "A.flac", 9)
    assert faults(folder) == [("extra", "A.flac"), ("refused", "a.flac")]
