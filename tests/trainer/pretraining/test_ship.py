"""What was trained becomes the package's base: all three files and their hashes, or nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from trainer.errors import TrainingError
from trainer.pretraining import parts
from trainer.voice import base, shipped_files

SHIPPED = shipped_files.FOLDER


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "base").mkdir()
    monkeypatch.setattr(shipped_files, "FOLDER", tmp_path / "base")
    return tmp_path


def ship(place: Path) -> dict[str, str]:
    return parts.ship(place / "corpus", place / "work")


def test_trained_weights_are_put_in_place_and_load_with_their_hashes(place: Path) -> None:
    for folder, source, name in (
        ("work", "acoustic.pt", "acoustic_latest.pt"),
        ("work", "vocoder.pt", "vocoder_latest.pt"),
        ("corpus", "aligner.pt", "aligner.pt"),
    ):
        (place / folder).mkdir(exist_ok=True)
        shutil.copy(SHIPPED / source, place / folder / name)
    assert ship(place) == shipped_files.hashes(SHIPPED) == json.loads((place / "base" / "hashes.json").read_text())
    base.load(place / "base")


def test_without_one_of_them_nothing_is_put_in_place(place: Path) -> None:
    with pytest.raises(TrainingError, match=r"vocoder_latest\.pt"):
        ship(place)
    assert list((place / "base").iterdir()) == []
