"""What was heard before is remembered of the same recogniser only, and only as it was written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trainer.preparation.recognisers import Heard, HeardWord, pocketsphinx
from trainer.preparation.transcription import memory

HEARD = {
    "a" * 64: Heard(text="one two"),
    "b" * 64: Heard(text=""),
    "c" * 64: Heard(
        text="Yes, no.",
        words=(
            HeardWord(text="yes", start_s=0.1, end_s=0.4, confidence=0.9),
            HeardWord(text="no", start_s=0.5, end_s=0.75, confidence=1.0),
        ),
        doubts=("speech without words from 1.0 to 2.5 s",),
    ),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    memory.write(tmp_path / memory.NAME, HEARD, pocketsphinx.transcribing_identity())
    return tmp_path / memory.NAME


def test_what_was_written_is_read(path: Path) -> None:
    assert memory.read(path, pocketsphinx.transcribing_identity()) == HEARD


@pytest.mark.parametrize(("name", "value"), [
    ("MODEL_SHA256", "0" * 64),
    ("_FAST", {"maxhmmpf": 30_000, "maxwpf": -1}),
])  # fmt: skip
def test_what_another_recogniser_heard_is_not_used(
    path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    monkeypatch.setattr(pocketsphinx, name, value)
    assert memory.read(path, pocketsphinx.transcribing_identity()) == {}


@pytest.mark.parametrize("text", [json.dumps({"a" * 64: "one two"}), "[]", "{}", '{"heard": {"a": 1}}', "", "\\xff"])
def test_a_file_of_another_form_is_not_used(path: Path, text: str) -> None:
    path.write_text(text)
    assert memory.read(path, pocketsphinx.transcribing_identity()) == {}


def test_a_changed_word_is_not_used(path: Path) -> None:
    path.write_text(path.read_text().replace("one two", "one too"))
    assert memory.read(path, pocketsphinx.transcribing_identity()) == {}


def test_a_link_is_not_followed(path: Path) -> None:
    link = path.with_name("link.json")
    link.symlink_to(path)
    assert memory.read(link, pocketsphinx.transcribing_identity()) == {}
