"""Predicted opinion: the original's numbers, ordered as ears would, the same every time."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
import soxr

from tests.trainer.evaluation.spoken import Clip
from trainer.errors import DataError, RuntimeSetupError
from trainer.evaluation import realism
from trainer.files import packaged_file


@pytest.mark.long
def test_marks_lie_on_the_scale_and_are_the_same_again(clips: list[Clip], noise: np.ndarray) -> None:
    first = realism.opinion(clips[0].wave)
    realism.opinion(noise)
    assert realism.opinion(clips[0].wave) == first
    assert all(1.0 <= mark <= 5.0 for mark in (first.overall, first.speech, first.background, first.p808))


def test_speech_in_noise_is_worse_than_speech(clips: list[Clip]) -> None:
    wave = clips[0].wave
    clean = realism.opinion(wave)
    noisy = realism.opinion(wave + 0.05 * np.random.default_rng(1).standard_normal(len(wave)).astype(np.float32))
    assert noisy.background < clean.background - 0.5 and noisy.overall < clean.overall and noisy.p808 < clean.p808


@pytest.mark.skipif(
    not importlib.util.find_spec("librosa"), reason="librosa, which only the original needs, is not installed"
)
def test_marks_are_the_originals(clips: list[Clip]) -> None:
    from speechmos import dnsmos

    for clip in clips:
        samples = soxr.resample(clip.wave, clip.sample_rate, 16_000, quality="HQ")
        theirs, ours = dnsmos.run(np.clip(samples, -1.0, 1.0), 16_000), realism.opinion(clip.wave, clip.sample_rate)
        names = (("overall", "ovrl_mos"), ("speech", "sig_mos"), ("background", "bak_mos"), ("p808", "p808_mos"))
        for mine, other in names:
            assert getattr(ours, mine) == pytest.approx(theirs[other], abs=0.01)


@pytest.mark.parametrize(
    ("samples", "windows"), [(144_160, 1), (160_000, 1), (176_159, 2), (176_160, 2), (320_000, 11)]
)
def test_windows_are_counted_in_whole_seconds(samples: int, windows: int) -> None:
    starts = realism._window_starts(samples)
    assert len(starts) == windows and starts[-1] + realism._WINDOW <= samples


def test_an_empty_wave_has_no_quality() -> None:
    with pytest.raises(DataError) as caught:
        realism.opinion(np.zeros(0, np.float32))
    assert caught.value.cause == "no_usable_speech"


def test_a_missing_package_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, noise: np.ndarray
) -> None:
    monkeypatch.setattr(packaged_file.importlib.util, "find_spec", lambda name: None)
    realism._sessions.cache_clear()
    with pytest.raises(RuntimeSetupError, match="pip install speechmos") as caught:
        realism.opinion(noise)
    assert caught.value.cause == "missing_module"
