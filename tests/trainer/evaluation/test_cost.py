"""What an evaluation will cost is known from the lengths of its clips, and is said before it begins."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from trainer.evaluation import cost, realism
from trainer.evaluation.prompts import Item

RATE = 8_000


def clip(folder: Path, seconds: float) -> Item:
    path = folder / f"{seconds}.wav"
    soundfile.write(path, np.zeros(round(seconds * RATE), np.float32), RATE)
    return Item(id=path.stem, path=path, prompt="hello")


@pytest.mark.parametrize(
    ("seconds", "windows"), [(0.5, 7), (1.9, 6), (4.6, 1), (5.684, 2), (8.11, 7), (9.0, 9), (9.01, 1), (12.5, 3)]
)
def test_a_short_clip_is_repeated_and_so_judged_in_several_windows(seconds: float, windows: int) -> None:
    samples = np.zeros(round(seconds * realism.SAMPLE_RATE))
    while len(samples) < realism._WINDOW:
        samples = np.concatenate([samples, samples])
    assert realism.windows(seconds) == len(realism._window_starts(len(samples))) == windows


def test_the_cost_grows_with_what_is_judged_and_is_told_in_one_line(tmp_path: Path) -> None:
    items = [clip(tmp_path, seconds) for seconds in (4.6, 9.5)]
    few, both = cost.expected(items[:1], [], 1), cost.expected(items, [items[0].path], 2)
    assert 3.0 < few.cpu_s < both.cpu_s
    assert (both.clips, both.reference, both.processes, both.audio_s) == (2, 1, 2, pytest.approx(14.1))
    assert both.sentence().startswith("2 clips (14 s), 1 of reference: about ") and "CPU-seconds" in both.sentence()
    assert "\n" not in both.sentence()


def test_a_clip_that_cannot_be_read_costs_nothing_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "broken.wav").write_bytes(b"no audio")
    items = [
        Item(id="broken", path=tmp_path / "broken.wav"),
        Item(id="missing", path=None),
        Item(id="gone", path=tmp_path / "gone.wav"),
    ]
    assert cost.expected(items, [], 1).audio_s == 0.0
