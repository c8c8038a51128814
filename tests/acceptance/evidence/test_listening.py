"""What the examining process says of clips and dataset: sounds with their pictures, and nothing of what is none, however large it claims to be."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from matplotlib import image

from acceptance.evidence.child import ExaminationError, Examiner
from acceptance.evidence.examination import Brief
from tests.acceptance import kit as kits

pytestmark = pytest.mark.long
RATE = 8_000


@pytest.fixture
def examiner(tmp_path: Path) -> Iterator[Examiner]:
    (tmp_path / "listening").mkdir()
    brief = Brief(
        workspace=str(tmp_path), manifest=str(tmp_path / "dataset/manifest.json"), checkpoint=str(tmp_path / "voice.pt"),
        listening=str(tmp_path / "listening"), audio_bytes=10**6, max_checkpoint_bytes=2**30, backbone={"name": "vocoder"},
        environment={}, seed=0, threads=1,
    )  # fmt: skip
    with contextlib.closing(Examiner(brief)) as process:
        yield process


def test_sounds_are_measured_and_drawn_and_everything_else_is_left_out(examiner, tmp_path):
    folder = tmp_path / "listening"
    soundfile.write(folder / "a.flac", 0.1 * np.sin(np.arange(RATE)), RATE)
    soundfile.write(folder / "b.wav", 0.1 * np.sin(np.arange(RATE // 2)), RATE)
    soundfile.write(folder / "silent.flac", np.zeros(RATE), RATE)
    (folder / "empty.flac").touch()
    (folder / "text.wav").write_text("no sound")
    (folder / "cut.flac").write_bytes((folder / "a.flac").read_bytes()[:200])
    soundfile.write(folder / "bomb.flac", np.zeros(3 * 3600 * RATE, np.int16), RATE)  # three hours
    assert (folder / "bomb.flac").stat().st_size < 4 * 2**20
    assert examiner.ask("sounds") == {"a.flac": 1.0, "b.wav": 0.5, "silent.flac": 1.0}
    pictures = sorted(folder.glob("*.png"))
    assert [picture.stem for picture in pictures] == ["a", "b", "silent"]
    assert all(image.imread(io.BytesIO(picture.read_bytes())).shape[0] == 80 for picture in pictures)


def test_the_dataset_is_told_with_its_held_out_clips(examiner, tmp_path):
    kits.write(tmp_path)
    (tmp_path / "manifest.json").rename(tmp_path / "dataset/manifest.json")
    found = examiner.ask("dataset")
    assert found["sha256"] == kits.digest((tmp_path / "dataset/manifest.json").read_bytes())
    assert found["held_out"] == [["clip_2.wav", kits.digest((tmp_path / "dataset/clip_2.wav").read_bytes()), ""]]
    assert (found["source_s"], found["dropped"]) == (2.0, {})


def test_a_manifest_that_does_not_hold_is_an_error(examiner, tmp_path):
    (tmp_path / "dataset").mkdir()
    (tmp_path / "dataset/manifest.json").write_text("{}")
    with pytest.raises(ExaminationError, match="manifest"):
        examiner.ask("dataset")
