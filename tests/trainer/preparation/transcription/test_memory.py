"""What was heard before is remembered of the same recogniser only, and only as it was written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trainer.preparation import recogniser
from trainer.preparation.transcription import memory, recognise

HEARD = {"a" * 64: "one two", "b" * 64: ""}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    memory.write(tmp_path / memory.NAME, HEARD)
    return tmp_path / memory.NAME


def test_what_was_written_is_read(path: Path) -> None:
    assert memory.read(path) == HEARD


@pytest.mark.parametrize(("module", "name", "value"), [
    (recogniser, "MODEL_SHA256", "0" * 64),
    (recognise, "_SETTINGS", {"maxhmmpf": 30_000, "maxwpf": -1}),
])  # fmt: skip
def test_what_another_recogniser_heard_is_not_used(
    path: Path, monkeypatch: pytest.MonkeyPatch, module: object, name: str, value: object
) -> None:
    monkeypatch.setattr(module, name, value)
    assert memory.read(path) == {}


@pytest.mark.parametrize("text", [json.dumps(HEARD), "[]", "{}", '{"heard": {"a": 1}}', "", "\\xff"])
def test_a_file_of_another_form_is_not_used(path: Path, text: str) -> None:
    path.write_text(text)
    assert memory.read(path) == {}


def test_a_changed_word_is_not_used(path: Path) -> None:
    path.write_text(path.read_text().replace("one two", "one too"))
    assert memory.read(path) == {}


def test_a_link_is_not_followed(path: Path) -> None:
    link = path.with_name("link.json")
    link.symlink_to(path)
    assert memory.read(link) == {}
