"""A picture is a PNG that other programs read."""

from __future__ import annotations

import io

import numpy as np
from matplotlib import image

from acceptance.pages import picture


def test_matplotlib_reads_the_png_with_its_size_dark_below_and_bright_on_top():
    found = image.imread(io.BytesIO(picture.png(np.linspace(1.0, 0.0, 40).reshape(40, 1).repeat(7, axis=1))))
    assert found.shape[:2] == (40, 7)
    assert found[0, 0, :3].sum() > 2.5 > 0.1 > found[-1, 0, :3].sum()


def test_the_mel_picture_of_a_second_is_small_and_the_same_each_time():
    wave = np.sin(2 * np.pi * 220 * np.arange(22050) / 22050).astype(np.float32)
    found = picture.mel(wave, 22050)
    assert found == picture.mel(wave, 22050)
    assert len(found) < 30_000
    assert image.imread(io.BytesIO(found)).shape[0] == picture.HEIGHT


def test_silence_is_a_picture_too():
    assert image.imread(io.BytesIO(picture.mel(np.zeros(2000, np.float32), 22050))).shape[0] == picture.HEIGHT
