"""The wrong voice: another speaker than the target, saying the same, always the same bytes."""

import numpy as np
import pytest
import torch

from trainer.backbones.vocoder import evaluation
from trainer.training import control_voice


def test_a_high_target_gets_a_lower_control_and_a_low_one_a_higher():
    assert control_voice.choose(210.0) is control_voice.LOWER
    assert control_voice.choose(95.0) is control_voice.HIGHER


def test_the_control_is_far_in_pitch_at_the_targets_level_and_repeatable(small_manifest):
    held_out = evaluation.load_held_out(small_manifest, max_seconds=6.0)
    again = control_voice.render(held_out.target)
    assert again and all(torch.equal(one.wave, two.wave) for one, two in zip(held_out.control, again, strict=True))
    target, control = (
        control_voice.median_f0_hz(held_out.target),
        control_voice.median_f0_hz(held_out.control),
    )
    assert max(target, control) / min(target, control) > 1.4
    for one, other in zip(held_out.target, held_out.control, strict=True):
        assert len(one.wave) == len(other.wave)
        assert control_voice.rms(other.wave.numpy()) == pytest.approx(control_voice.rms(one.wave.numpy()), rel=0.1)


def test_silence_stays_silence(small_manifest):
    utterance = evaluation.load_held_out(small_manifest, max_seconds=6.0).target[0]
    silent = control_voice.loading.from_wave(np.zeros_like(utterance.wave.numpy()))
    other = control_voice.convert(silent, control_voice.LOWER)
    assert bool(torch.isfinite(other.wave).all())
    assert control_voice.rms(other.wave.numpy()) < 1e-3


def test_stretching_moves_a_formant_by_the_ratio():
    bins = np.arange(513)
    spectra = np.exp(-(((bins - 100) / 10.0) ** 2))[None]
    assert control_voice.stretch(spectra, 1.2)[0].argmax() == pytest.approx(120, abs=1)
    assert np.array_equal(control_voice.stretch(spectra, 1.0), spectra)
