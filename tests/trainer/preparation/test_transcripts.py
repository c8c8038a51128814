"""The text beside a recording is found, or refused by name."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from trainer.errors import DataError
from trainer.preparation import transcripts


@pytest.mark.parametrize("name", ["auntie.txt", "auntie.flac.txt", "auntie.TXT", "auntie.lab", "auntie.normalized.txt"])
def test_the_text_beside_a_recording_is_its_transcript(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("\ufeffShe said: two words.\n", encoding="utf-8")
    found = transcripts.sidecar(tmp_path / "auntie.flac")
    assert found.text == "She said: two words."
    assert found.sha256 == hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()


def test_no_text_beside_a_recording_is_no_transcript(tmp_path: Path) -> None:
    assert transcripts.sidecar(tmp_path / "auntie.flac") is None


@pytest.mark.parametrize(
    "content",
    [b"", b" \n\n", b"caf\xe9", b"nul\x00", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n"],
)
def test_an_unusable_text_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "auntie.txt").write_bytes(content)
    with pytest.raises(DataError, match=r"auntie\.txt") as caught:
        transcripts.sidecar(tmp_path / "auntie.flac")
    assert caught.value.cause == "transcript_invalid"
