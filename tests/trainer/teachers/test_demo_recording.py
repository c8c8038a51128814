"""The demonstration recording is long, big and varied enough to stand in for a real one, and always the same."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
import soundfile

from trainer.preparation.prepare import prepare
from trainer.teachers import demo_recording
from trainer.teachers.demo_sentences import SENTENCES


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    path = tmp_path_factory.mktemp("demo") / "demo.flac"
    start = time.monotonic()
    demo_recording.render(path, path.with_suffix(".txt"))
    return path, time.monotonic() - start


def test_it_is_more_than_five_million_bytes_and_four_to_five_minutes(full: tuple[Path, float]) -> None:
    info = soundfile.info(full[0])
    assert full[0].stat().st_size > 5_000_000
    assert 240.0 < info.duration < 300.0
    assert (info.format, info.subtype, info.channels, info.samplerate) == ("FLAC", "PCM_16", 1, 22_050)


def test_it_renders_in_seconds(full: tuple[Path, float]) -> None:
    assert full[1] < 20.0


def test_sentences_are_many_and_distinct() -> None:
    assert len({re.sub(r"\W", "", sentence).lower() for sentence in SENTENCES}) == len(SENTENCES) >= 45


def test_the_transcript_has_one_sentence_per_line(full: tuple[Path, float]) -> None:
    assert full[0].with_suffix(".txt").read_text(encoding="utf-8").splitlines() == list(SENTENCES)


def test_preparation_keeps_more_than_three_minutes_of_it(full: tuple[Path, float], tmp_path: Path) -> None:
    made = prepare(full[0], tmp_path / "manifest.json", workspace=full[0].parent)
    assert made.summary["usable_minutes"] > 3.0
    assert made.transcript.characters == len("\n".join(SENTENCES))
    assert {entry.transcript_source for entry in made.entries} == {"sidecar_unaligned"}


def test_rendering_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("first", "second"):
        demo_recording.render(tmp_path / f"{name}.flac", tmp_path / f"{name}.txt", sentences=SENTENCES[:4])
    assert (tmp_path / "first.flac").read_bytes() == (tmp_path / "second.flac").read_bytes()
    assert (tmp_path / "first.txt").read_bytes() == (tmp_path / "second.txt").read_bytes()


def test_another_seed_gives_another_recording(tmp_path: Path) -> None:
    for seed in (1, 2):
        demo_recording.render(tmp_path / f"{seed}.flac", tmp_path / "t.txt", sentences=SENTENCES[:2], seed=seed)
    assert (tmp_path / "1.flac").read_bytes() != (tmp_path / "2.flac").read_bytes()
